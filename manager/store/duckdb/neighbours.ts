import type { Line } from '../../../common/model/line.ts';
import type { LineFilter } from '../ports.ts';
import { type StoredLine, selectLines } from './line-rows.ts';
import { needlesOf } from './needles.ts';
import { isEmpty, type Range } from './plan.ts';
import { allOf, type Condition, integer } from './query-sql.ts';
import type { Reading } from './reading.ts';
import { atLeast, below, filterConditions } from './search.ts';

const FIRST_WINDOW = 16_384;
const WINDOW_GROWTH = 8;
const ID = /^([A-Za-z0-9_-]{1,64})\.([0-9a-f]{16})\.(\d{1,15})$/;

/** The line of an id `<agent>.<epoch>.<seq>`, or null. A number inside a gap has no line of its own. */
export async function findLine(reading: Reading, id: string): Promise<StoredLine | null> {
  const match = ID.exec(id);
  if (match === null) return null;
  const seq = integer(Number(match[3]));
  // The ledger knows where the line is: one block is then read instead of all.
  const batches = await reading.query(
    `SELECT ordinal + (${seq} - first) FROM ledger WHERE agent = ? AND epoch = ? AND first <= ${seq} AND next > ${seq}
       AND ${seq} - first < line_count
     UNION ALL SELECT ordinal + (${seq} - first) FROM fills WHERE agent = ? AND epoch = ? AND first <= ${seq} AND next > ${seq}`,
    [match[1]!, match[2]!, match[1]!, match[2]!],
  );
  const ordinal = batches[0]?.[0];
  if (ordinal === undefined) return null;
  const range = between(Number(ordinal), Number(ordinal) + 1);
  return (await selectLines(reading, await reading.plan(null, range), inRange(range), 'oldest arrival', 1))[0] ?? null;
}

/** Lines around one, in the order of arrival, oldest first; the line itself is in the middle. */
export async function linesAround(
  reading: Reading,
  id: string,
  options: { before: number; after: number; sameHost: boolean },
  newestOrdinal: number,
): Promise<Line[]> {
  const found = await findLine(reading, id);
  if (found === null) return [];
  const { ordinal, line } = found;
  const host: Condition[] = options.sameHost
    ? [
        { sql: 'host = ?', values: [line.host] },
        { sql: 'agent = ?', values: [line.agent] },
      ]
    : [];
  const before: StoredLine[] = [];
  for (let high = ordinal, size = FIRST_WINDOW; high > 0 && before.length < options.before; size *= WINDOW_GROWTH) {
    const low = Math.max(0, high - size);
    const range = between(low, high);
    const plan = await reading.plan(null, range);
    const where = allOf([inRange(range), ...host]);
    before.push(...(await selectLines(reading, plan, where, 'newest arrival', options.before - before.length)));
    high = low;
  }
  const after: StoredLine[] = [];
  for (let low = ordinal + 1, size = FIRST_WINDOW; low <= newestOrdinal && after.length < options.after; ) {
    const range = between(low, low + size);
    const plan = await reading.plan(null, range);
    const where = allOf([inRange(range), ...host]);
    after.push(...(await selectLines(reading, plan, where, 'oldest arrival', options.after - after.length)));
    low += size;
    size *= WINDOW_GROWTH;
  }
  return [...before.reverse(), found, ...after].map((row) => row.line);
}

/** Lines that arrived after `ordinal`, oldest first. `lastOrdinal` is where the next call goes on. */
export async function linesSince(
  reading: Reading,
  filter: LineFilter,
  ordinal: number,
  limit: number,
  newestOrdinal: number,
): Promise<{ lines: Line[]; lastOrdinal: number }> {
  const conditions = filterConditions(filter);
  if (filter.fromMs !== undefined) conditions.push(atLeast(filter.fromMs));
  if (filter.toMs !== undefined) conditions.push(below(filter.toMs));
  const found: StoredLine[] = [];
  const needles = needlesOf(filter);
  for (let low = ordinal + 1, size = FIRST_WINDOW; low <= newestOrdinal && found.length < limit; ) {
    const high = Math.min(low + size, newestOrdinal + 1);
    const range = { ...between(low, high), fromMs: filter.fromMs, toMs: filter.toMs };
    const plan = await reading.plan(needles, range);
    if (!isEmpty(plan)) {
      const where = allOf([inRange(range), ...conditions]);
      found.push(...(await selectLines(reading, plan, where, 'oldest arrival', limit - found.length)));
    }
    low = high;
    size *= WINDOW_GROWTH;
  }
  const lastOrdinal = found.length === limit && limit > 0 ? found.at(-1)!.ordinal : Math.max(ordinal, newestOrdinal);
  return { lines: found.map((row) => row.line), lastOrdinal };
}

/** Arrival numbers `low..high-1`. */
function between(fromOrdinal: number, toOrdinal: number): Range & { fromOrdinal: number; toOrdinal: number } {
  return { fromOrdinal, toOrdinal };
}

function inRange({ fromOrdinal, toOrdinal }: { fromOrdinal: number; toOrdinal: number }): Condition {
  return { sql: `ordinal >= ${integer(fromOrdinal)} AND ordinal < ${integer(toOrdinal)}`, values: [] };
}
