import { WebvirtError } from '../../../common/errors.ts';
import { queryOf } from '../../../common/pure/query/filter.ts';
import type { LineFilter, LinePage, SearchOptions } from '../ports.ts';
import { extentOf } from './layout.ts';
import { type StoredLine, selectLines } from './line-rows.ts';
import { needlesOf } from './needles.ts';
import { isEmpty, narrowed } from './plan.ts';
import { allOf, type Condition, integer, queryConditions } from './query-sql.ts';
import type { Reading } from './reading.ts';
import { createWindows } from './windows.ts';

/** A page that is not full after this long is answered as far as it got. */
const LIMIT_SEARCH_MS = 4_000;

/** The conditions of a filter, its time range apart. Throws `bad-query`. */
export function filterConditions(filter: LineFilter): Condition[] {
  return queryConditions(queryOf(filter));
}

/**
 * Searches backwards through windows that grow, over what may match at all: the newest page costs the same however much
 * is stored, and what nobody ever logged is known not to be there without reading it.
 */
export async function searchNewest(
  reading: Reading,
  filter: LineFilter,
  page: SearchOptions & { limitMs?: number },
  nowMs: () => number,
): Promise<LinePage> {
  const conditions = filterConditions(filter);
  const before = page.cursor === undefined ? null : readCursor(page.cursor);
  const extent = extentOf(reading.layout);
  if (extent === null) return { lines: [], next: null, searchedBackToMs: null };
  const started = nowMs();
  const lowest = Math.max(filter.fromMs ?? -Infinity, extent.oldestMs);
  let high = Math.min(filter.toMs ?? Infinity, extent.newestMs + 1, before === null ? Infinity : before.sortMs + 1);
  const plan = await reading.plan(needlesOf(filter), { fromMs: lowest, toMs: high });
  const lowerEnd = createWindows(plan);
  const answer = (lines: StoredLine[], next: string | null, searchedBackToMs: number | null): LinePage => {
    const unreadable = reading.unreadable();
    const page = { lines: lines.map((row) => row.line), next, searchedBackToMs };
    return unreadable.size === 0 ? page : { ...page, unreadable: [...unreadable.values()] };
  };
  const found: StoredLine[] = [];
  while (high > lowest && !isEmpty(plan)) {
    const low = Math.max(lowest, lowerEnd(high));
    const range = [atLeast(low), below(high), ...(before === null ? [] : [older(before)])];
    const here = narrowed(plan, { fromMs: low, toMs: high });
    const wanted = page.limit + 1 - found.length;
    const rows = await selectLines(reading, here, allOf([...range, ...conditions]), 'newest', wanted);
    const fitting = rows.slice(0, page.limit - found.length);
    if (fitting.length > 0) page.onFound?.(fitting.map((row) => row.line));
    found.push(...rows);
    if (found.length > page.limit) {
      const last = found[page.limit - 1]!;
      return answer(found.slice(0, page.limit), `${last.sortMs}.${last.ordinal}`, last.sortMs);
    }
    high = low;
    page.onLooked?.(high);
    if (high > lowest && nowMs() - started > (page.limitMs ?? LIMIT_SEARCH_MS)) {
      return answer(found, `${Math.ceil(high)}.0`, high);
    }
  }
  return answer(found, null, filter.fromMs ?? null);
}

export function atLeast(ms: number): Condition {
  return { sql: `sort_ms >= ${integer(Math.ceil(ms))}`, values: [] };
}

export function below(ms: number): Condition {
  return { sql: `sort_ms < ${integer(Math.ceil(ms))}`, values: [] };
}

function older({ sortMs, ordinal }: { sortMs: number; ordinal: number }): Condition {
  const at = integer(sortMs);
  return { sql: `(sort_ms < ${at} OR (sort_ms = ${at} AND ordinal < ${integer(ordinal)}))`, values: [] };
}

function readCursor(cursor: string): { sortMs: number; ordinal: number } {
  const match = /^(-?\d{1,16})\.(\d{1,15})$/.exec(cursor);
  if (match === null)
    throw new WebvirtError('bad-request', 'This cursor is not one of ours; leave it out to start anew.');
  return { sortMs: Number(match[1]), ordinal: Number(match[2]) };
}
