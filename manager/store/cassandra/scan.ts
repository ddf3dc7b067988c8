import { LEVELS } from '../../../common/model/line.ts';
import { queryOf } from '../../../common/pure/query/filter.ts';
import { compileMatcher } from '../../../common/pure/query/match.ts';
import type { Query } from '../../../common/pure/query/query.ts';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import { BatchRow } from '../../../common/pure/query/row.ts';
import type { LineFilter } from '../ports.ts';
import { type Block, type OpenBlock, openBlock } from './block.ts';
import { dayOf, slotOf } from './layout.ts';
import { daysOf, lookUps, type PartKey, partKey } from './presence.ts';
import { blocksOf, checkLimits, type Limits, withBodies } from './reader.ts';
import { eachOf, type Session } from './session.ts';
import { createSieve, type SieveCounts } from './sieve.ts';
import type { Voids } from './voids.ts';

/** Partitions that one search reads at the same time. */
const AT_ONCE = 4;

export interface ReadDeps {
  session: Session;
  voids: Voids;
  /** Blocks that were looked at, for those who want to know. */
  counts?: SieveCounts | undefined;
}

export interface Part {
  bucket: number;
  shard: number;
}

/** The rows of an open block that match, in the order of arrival. */
export type RowsThatMatch = (open: OpenBlock) => Iterable<number>;

/** Compiles a filter (its time range apart). Throws `bad-query`. */
export function compileFilter(filter: LineFilter): { query: Query; rows: RowsThatMatch } {
  const query = queryOf(filter);
  const matches = compileMatcher(query, re2Engine);
  return {
    query,
    *rows(open) {
      const row = new BatchRow(open.block.origin, open.columns);
      for (row.i = 0; row.i < open.columns.n; row.i += 1) if (matches(row)) yield row.i;
    },
  };
}

/** The minutes of a day that have lines, newest first, each with the partitions that hold some of them. */
export async function slotsOf(
  { session }: ReadDeps,
  day: number,
  fromSlot: number,
  toSlot: number,
): Promise<{ slot: number; parts: Part[] }[]> {
  const query = 'SELECT slot, bucket, shard FROM slots WHERE day = ? AND slot >= ? AND slot <= ?';
  const slots: { slot: number; parts: Part[] }[] = [];
  for await (const page of session.pages(query, [day, fromSlot, toSlot], 5_000))
    for (const row of page) {
      const slot = row['slot'] as number;
      const part = { bucket: row['bucket'] as number, shard: row['shard'] as number };
      const last = slots.at(-1);
      if (last?.slot === slot) last.parts.push(part);
      else slots.push({ slot, parts: [part] });
    }
  return slots;
}

export interface TimeRange {
  fromMs: number;
  toMs: number;
}

export function rangeOf(filter: LineFilter): TimeRange {
  return { fromMs: Math.ceil(filter.fromMs ?? -Infinity), toMs: Math.ceil(filter.toMs ?? Infinity) };
}

export function slotRange({ fromMs, toMs }: TimeRange): { fromSlot: number; toSlot: number } {
  return { fromSlot: slotOf(fromMs), toSlot: slotOf(toMs - 1) };
}

/** Days that may have lines of a range, newest first. */
export async function daysIn({ session }: ReadDeps, range: TimeRange): Promise<number[]> {
  const { fromSlot, toSlot } = slotRange(range);
  const days = await daysOf(session, 'slot-days');
  return days.filter((day) => day >= dayOf(fromSlot) && day <= dayOf(toSlot));
}

/** True for a query that the counts of lines per level answer: no line needs to be looked at. */
export function asksLevelsOnly(query: Query): boolean {
  return query.terms.every((term) => term.kind === 'severity');
}

/** Which levels match, for such a query. */
export function levelsThatMatch(query: Query): boolean[] {
  return LEVELS.map((_level, at) =>
    query.terms.every((term) => term.kind === 'severity' && at <= term.most !== term.not),
  );
}

/**
 * Looks at every block that may have lines of a range and a query, in no order. `whole` is called with a block that lies
 * in the range as a whole and need not be opened (when it is given); `open` with all others.
 */
export async function scanBlocks(
  deps: ReadDeps,
  filter: LineFilter,
  range: TimeRange,
  limits: Limits,
  visit: { whole?: (block: Block) => boolean; open(open: OpenBlock): void },
): Promise<void> {
  if (range.toMs <= range.fromMs) return;
  await deps.voids.refresh();
  const mayHave = lookUps(deps.session, queryOf(filter));
  const sieve = createSieve(deps, filter, limits);
  const { fromSlot, toSlot } = slotRange(range);
  const done = new Set<PartKey>();
  const { whole } = visit;
  for (const day of await daysIn(deps, range)) {
    const parts = (await slotsOf(deps, day, fromSlot, toSlot)).flatMap((slot) => slot.parts);
    await eachOf(fresh(parts, done), AT_ONCE, async ({ bucket, shard }) => {
      checkLimits(limits);
      if (mayHave !== null && !(await mayHave(bucket, shard))) return;
      const inRange = (block: Block) => block.maxSortMs >= range.fromMs && block.minSortMs < range.toMs;
      if (whole === undefined) {
        const wants = (block: Block) => (inRange(block) ? 'take' : 'pass');
        for await (const block of sieve({ bucket, shard }, { order: 'newest' }, wants)) {
          checkLimits(limits);
          visit.open(await openBlock(block));
        }
        return;
      }
      for await (const block of blocksOf(deps, bucket, shard, { order: 'newest', with: 'nothing' }, limits)) {
        if (!inRange(block)) continue;
        const isWhole = block.minSortMs >= range.fromMs && block.maxSortMs < range.toMs;
        if (isWhole && whole(block)) continue;
        checkLimits(limits);
        for (const full of await withBodies(deps.session, [block])) visit.open(await openBlock(full));
      }
    });
  }
}

/** Parts that are not done yet, each once. */
export function fresh(parts: readonly Part[], done: Set<PartKey>): Part[] {
  return parts.filter(({ bucket, shard }) => {
    const key = partKey(bucket, shard);
    if (done.has(key)) return false;
    done.add(key);
    return true;
  });
}
