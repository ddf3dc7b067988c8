import type { OutsideSender, OutsideTally, Way, WayReport } from './ports.ts';
import { WAYS } from './ports.ts';

/** Senders that are remembered by name: those heard last. The sums of a way count all. */
const LIMIT_SENDERS = 1_000;
const LIMIT_REASONS = 64;

interface Counts {
  taken: number;
  refused: Map<string, number>;
  dropped: Map<string, number>;
  sentBack: number;
  lastSeenMs: number | null;
}

type Count = 'taken' | 'sentBack';

/** What came in by which way and from whom. */
export function createTally(nowMs: () => number, onChange: () => void = () => undefined) {
  const ways = new Map<Way, Counts>(WAYS.map((way) => [way, noCounts()]));
  const senders = new Map<string, { sender: OutsideSender; counts: Counts }>();

  function both(sender: OutsideSender): Counts[] {
    const key = keyOf(sender);
    const known = senders.get(key) ?? { sender, counts: noCounts() };
    // Put behind the others: the first of the map is the one that was silent longest.
    senders.delete(key);
    senders.set(key, known);
    if (senders.size > LIMIT_SENDERS) senders.delete(senders.keys().next().value!);
    const found = [ways.get(sender.way)!, known.counts];
    for (const counts of found) counts.lastSeenMs = nowMs();
    onChange();
    return found;
  }

  return {
    count(sender: OutsideSender, what: Count, count: number): void {
      for (const counts of both(sender)) counts[what] += count;
    },
    because(sender: OutsideSender, what: 'refused' | 'dropped', reason: string, count: number): void {
      for (const counts of both(sender)) {
        const reasons = counts[what];
        const told = reasons.has(reason) || reasons.size < LIMIT_REASONS ? reason : 'other reasons';
        reasons.set(told, (reasons.get(told) ?? 0) + count);
      }
    },
    report(listens: (way: Way) => string | null): WayReport[] {
      const newest = [...senders.values()].reverse();
      return WAYS.map((way) => ({
        ...{ way, listens: listens(way), ...shown(ways.get(way)!) },
        senders: newest
          .filter(({ sender }) => sender.way === way)
          .map(({ sender: { id, name }, counts }) => ({ id, name, ...shown(counts) })),
      }));
    },
  };
}

export type Tally = ReturnType<typeof createTally>;

export const keyOf = ({ way, id }: OutsideSender) => `${way} ${id}`;

function noCounts(): Counts {
  return { taken: 0, refused: new Map(), dropped: new Map(), sentBack: 0, lastSeenMs: null };
}

function shown({ taken, refused, dropped, sentBack, lastSeenMs }: Counts): OutsideTally {
  const list = (reasons: Map<string, number>) =>
    [...reasons].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
  return { taken, refused: list(refused), dropped: list(dropped), sentBack, lastSeenMs };
}
