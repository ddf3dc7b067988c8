import { WebvirtError } from '../../../common/errors.ts';
import type { IntakeLog } from '../ports.ts';
import { createChain, type FrameTaker } from './chain.ts';
import { createLooseLines } from './loose-lines.ts';
import type { OutsideDoor, OutsideSender, Way, WayReport } from './ports.ts';
import { createRate, type Rate } from './rate.ts';
import { createRequests } from './requests.ts';
import { createTally, keyOf } from './tally.ts';

export interface OutsideConfig {
  /** Of each sender, in the long run. */
  linesPerSecond: number;
  /** Of each sender at once, after a silence. */
  burstLines: number;
  /** After this long a store that refused is tried again. */
  retryMs: number;
}

export interface Outside extends OutsideDoor {
  /** @param listens address of a way that has a port of its own; null: off */
  report(listens: (way: Way) => string | null): WayReport[];
  /** Stores what waits. */
  stop(): Promise<void>;
}

const LIMIT_RATES = 10_000;
const TELL_EVERY_MS = 60_000;
const TOO_FAST = 'more lines a second than one sender may send';
const NO_ROOM = 'the store could not take lines';
/** A sender that can be held up and whose lines wait is asked again after this. */
const FULL_PAUSE_MS = 100;

/**
 * The door for lines of programs outside. Who may send is decided before; here each sender has its rate, its queue and its
 * counts. A sender over its rate is sent back where it will come again (HTTP), held up where it can be (TCP), and else its
 * lines are dropped with a gap record that says how many and why.
 */
export function createOutside(
  config: OutsideConfig,
  deps: {
    intake: FrameTaker;
    log: IntakeLog;
    /** What is reported is another now. Called for each line. */
    onChange?: () => void;
    nowMs?: () => number;
    monotonicMs?: () => number;
  },
): Outside {
  const nowMs = deps.nowMs ?? Date.now;
  const monotonicMs = deps.monotonicMs ?? (() => performance.now());
  const tally = createTally(nowMs, deps.onChange);
  /** When each sender was last told of. */
  const told = new Map<string, number>();
  const requests = createRequests(createChain(deps.intake));
  const loose = createLooseLines({ retryMs: config.retryMs }, { chain: createChain(deps.intake), monotonicMs, nowMs });
  const rates = new Map<string, Rate>();

  function rateOf(sender: OutsideSender): Rate {
    const key = keyOf(sender);
    let rate = rates.get(key);
    if (rate === undefined) {
      // Who was forgotten begins with a full bucket: of no use to a flooder, who would need ten thousand credentials.
      if (rates.size >= LIMIT_RATES) rates.delete(rates.keys().next().value!);
      rate = createRate(config.linesPerSecond, config.burstLines, monotonicMs);
      rates.set(key, rate);
    }
    return rate;
  }

  function tell(sender: OutsideSender, reason: string): void {
    const [key, now] = [`${keyOf(sender)} ${reason}`, monotonicMs()];
    if (now - (told.get(key) ?? -Infinity) < TELL_EVERY_MS) return;
    if (told.size >= LIMIT_RATES) told.clear();
    told.set(key, now);
    deps.log.warn('A sender of lines from outside is held back', { way: sender.way, sender: sender.name, reason });
  }

  function drop(sender: OutsideSender, reason: string, count: number, bytes: number): void {
    tally.because(sender, 'dropped', reason, count);
    loose.drop(keyOf(sender), `${sender.way} ${sender.name}: ${reason}`, count, bytes);
    tell(sender, reason);
  }

  return {
    admit(sender) {
      const waitMs = rateOf(sender).waitMs();
      if (waitMs === 0) return;
      tally.count(sender, 'sentBack', 1);
      tell(sender, TOO_FAST);
      const why = `More than ${config.linesPerSecond} lines a second from this sender; send them again later.`;
      throw new WebvirtError('too-many-requests', why, { retryAfterMs: Math.max(1_000, waitMs) });
    },
    async store(sender, lines) {
      if (lines.length === 0) return;
      rateOf(sender).take(lines.length);
      await requests.add(keyOf(sender), lines);
      tally.count(sender, 'taken', lines.length);
    },
    refused: (sender, reason, count = 1) => tally.because(sender, 'refused', reason, count),
    offer(sender, line) {
      const rate = rateOf(sender);
      const fits = rate.hasRoom();
      if (fits && loose.add(keyOf(sender), line)) {
        rate.take(1);
        tally.count(sender, 'taken', 1);
        return true;
      }
      drop(sender, fits ? NO_ROOM : TOO_FAST, 1, line.message.length);
      return false;
    },
    dropped: (sender, reason, count) => drop(sender, reason, count, 0),
    pauseMs: (sender) => (loose.isFull(keyOf(sender)) ? FULL_PAUSE_MS : rateOf(sender).waitMs()),
    report: (listens) => tally.report(listens),
    async stop() {
      await requests.idle();
      await loose.stop();
    },
  };
}
