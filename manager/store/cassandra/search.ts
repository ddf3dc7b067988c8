import { WebvirtError } from '../../../common/errors.ts';
import type { Line } from '../../../common/model/line.ts';
import type { LineFilter, LinePage, SearchOptions } from '../ports.ts';
import { type Block, openBlock } from './block.ts';
import { latestMsOf, ordinalAt, slotStartMs } from './layout.ts';
import { lookUps } from './presence.ts';
import { checkLimits, type Limits, limitsOf } from './reader.ts';
import {
  compileFilter,
  daysIn,
  fresh,
  type Part,
  type ReadDeps,
  type RowsThatMatch,
  rangeOf,
  slotRange,
  slotsOf,
  type TimeRange,
} from './scan.ts';
import { eachOf } from './session.ts';
import { createSieve, type Sieve } from './sieve.ts';

const FIRST_WINDOW_SLOTS = 1;
const WINDOW_GROWTH = 2;
const AT_ONCE = 4;
/** A page that is not full after this long is answered as far as it got. */
const LIMIT_SEARCH_MS = 4_000;

interface Found {
  sortMs: number;
  ordinal: number;
  line: () => Line;
}
type Place = Pick<Found, 'sortMs' | 'ordinal'>;

const newestFirst = (a: Place, b: Place) => b.sortMs - a.sortMs || b.ordinal - a.ordinal;

/**
 * Searches back through windows of time that double. A window reads the partitions that hold lines of its minutes, newest
 * blocks first, and stops in each as soon as nothing older there can be among the wanted ones.
 */
export async function searchNewest(
  deps: ReadDeps,
  filter: LineFilter,
  page: SearchOptions & { wholeMs?: number },
  readLimitMs: number,
): Promise<LinePage> {
  const { query, rows } = compileFilter(filter);
  const before = page.cursor === undefined ? null : readCursor(page.cursor);
  const limits = limitsOf(page.wholeMs ?? readLimitMs, page.signal);
  const softEndMs = performance.now() + (page.wholeMs === undefined ? LIMIT_SEARCH_MS : Infinity);
  await deps.voids.refresh();
  const mayHave = lookUps(deps.session, query);
  const sieve = createSieve(deps, filter, limits);
  const range = rangeOf(filter);
  if (before !== null) range.toMs = Math.min(range.toMs, before.sortMs + 1);
  const end = { lines: [], next: null, searchedBackToMs: filter.fromMs ?? null };
  if (range.toMs <= range.fromMs) return end;
  const lines: Line[] = [];
  let last: Place | null = null;
  for await (const window of windowsOf(deps, range, limits)) {
    const parts: Part[] = [];
    for (const part of fresh(window.parts, new Set()))
      if (mayHave === null || (await mayHave(part.bucket, part.shard))) parts.push(part);
    const found = await newestIn(parts, window, { sieve, rows, before, wanted: page.limit + 1 - lines.length }, limits);
    const fitting = found.slice(0, page.limit - lines.length);
    last = fitting.at(-1) ?? last;
    const told = fitting.map((one) => one.line());
    if (told.length > 0) page.onFound?.(told);
    lines.push(...told);
    if (found.length > fitting.length && last !== null)
      return { lines, next: `${last.sortMs}.${last.ordinal}`, searchedBackToMs: last.sortMs };
    if (!Number.isFinite(window.fromMs)) break;
    page.onLooked?.(window.fromMs);
    if (performance.now() > softEndMs && window.fromMs > range.fromMs)
      return { lines, next: `${Math.ceil(window.fromMs)}.0`, searchedBackToMs: window.fromMs };
  }
  return { ...end, lines };
}

/** Windows that have something in them, newest first. */
async function* windowsOf(
  deps: ReadDeps,
  range: TimeRange,
  limits: Limits,
): AsyncGenerator<TimeRange & { parts: Part[] }> {
  const { fromSlot, toSlot } = slotRange(range);
  let size = FIRST_WINDOW_SLOTS;
  let toMs = range.toMs;
  for (const day of await daysIn(deps, range)) {
    const slots = await slotsOf(deps, day, fromSlot, toSlot);
    for (let at = 0; at < slots.length; ) {
      checkLimits(limits);
      const lowest = slots[at]!.slot - size + 1;
      const parts: Part[] = [];
      let low = slots[at]!.slot;
      for (; at < slots.length && slots[at]!.slot >= lowest; at += 1) {
        parts.push(...slots[at]!.parts);
        low = slots[at]!.slot;
      }
      const fromMs = Math.max(range.fromMs, slotStartMs(low));
      yield { fromMs, toMs, parts };
      toMs = fromMs;
      size *= WINDOW_GROWTH;
    }
  }
}

interface Wanted {
  sieve: Sieve;
  rows: RowsThatMatch;
  before: Place | null;
  wanted: number;
}

async function newestIn(
  parts: readonly Part[],
  range: TimeRange,
  { sieve, rows, before, wanted }: Wanted,
  limits: Limits,
): Promise<Found[]> {
  let found: Found[] = [];
  /** Time of the last line that is wanted, once there are enough: older ones are not. */
  let enoughMs = -Infinity;
  const cut = () => {
    found.sort(newestFirst);
    found = found.slice(0, wanted);
    if (found.length === wanted) enoughMs = found.at(-1)!.sortMs;
  };
  const newestParts = [...parts].sort((a, b) => b.bucket - a.bucket);
  await eachOf(newestParts, AT_ONCE, async ({ bucket, shard }) => {
    if (latestMsOf(lastOrdinalOf(bucket)) < enoughMs) return;
    const wants = (block: Block) => {
      if (latestMsOf(block.ordinal + block.reach) < enoughMs) return 'end';
      return block.maxSortMs < Math.max(range.fromMs, enoughMs) || block.minSortMs >= range.toMs ? 'pass' : 'take';
    };
    for await (const block of sieve({ bucket, shard }, { order: 'newest' }, wants)) {
      if (wants(block) !== 'take') continue;
      checkLimits(limits);
      const open = await openBlock(block);
      for (const i of rows(open)) {
        const place = { sortMs: open.sortMsAt(i), ordinal: open.ordinalAt(i) };
        if (place.sortMs < range.fromMs || place.sortMs >= range.toMs || place.sortMs < enoughMs) continue;
        if (before !== null && newestFirst(before, place) >= 0) continue;
        found.push({ ...place, line: () => open.lineAt(i) });
      }
      if (found.length >= wanted) cut();
    }
  });
  cut();
  return found;
}

function lastOrdinalOf(bucket: number): number {
  return ordinalAt((bucket + 1) * 60_000);
}

function readCursor(cursor: string): Place {
  const match = /^(-?\d{1,16})\.(\d{1,16})$/.exec(cursor);
  if (match === null)
    throw new WebvirtError('bad-request', 'This cursor is not one of ours; leave it out to start anew.');
  return { sortMs: Number(match[1]), ordinal: Number(match[2]) };
}
