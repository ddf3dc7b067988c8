import type { DuckDBConnection } from '@duckdb/node-api';
import type { Line } from '../../../common/model/line.ts';
import type { LineFilter } from '../ports.ts';
import { runQuery, type StoredLine, selectLines } from './line-rows.ts';
import { allOf, type Condition, integer } from './query-sql.ts';
import { atLeast, below, filterConditions } from './search.ts';

const FIRST_WINDOW = 16_384;
const WINDOW_GROWTH = 8;
const ID = /^([A-Za-z0-9_-]{1,64})\.([0-9a-f]{16})\.(\d{1,15})$/;

/** The line of an id `<agent>.<epoch>.<seq>`, or null. A number inside a gap has no line of its own. */
export async function findLine(connection: DuckDBConnection, id: string): Promise<StoredLine | null> {
  const match = ID.exec(id);
  if (match === null) return null;
  const seq = integer(Number(match[3]));
  // The ledger knows where the line is: one block is then read instead of all.
  const batches = await runQuery(
    connection,
    `SELECT ordinal + (${seq} - first) FROM ledger WHERE agent = ? AND epoch = ? AND first <= ${seq} AND next > ${seq}
       AND ${seq} - first < line_count`,
    [match[1]!, match[2]!],
  );
  const ordinal = batches[0]?.[0];
  if (ordinal === undefined) return null;
  const where = { sql: `ordinal = ${integer(Number(ordinal))}`, values: [] };
  return (await selectLines(connection, where, 'oldest arrival', 1))[0] ?? null;
}

/** Lines around one, in the order of arrival, oldest first; the line itself is in the middle. */
export async function linesAround(
  connection: DuckDBConnection,
  id: string,
  options: { before: number; after: number; sameHost: boolean },
  newestOrdinal: number,
): Promise<Line[]> {
  const found = await findLine(connection, id);
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
    const where = allOf([...between(low, high), ...host]);
    before.push(...(await selectLines(connection, where, 'newest arrival', options.before - before.length)));
    high = low;
  }
  const after: StoredLine[] = [];
  for (let low = ordinal + 1, size = FIRST_WINDOW; low <= newestOrdinal && after.length < options.after; ) {
    const where = allOf([...between(low, low + size), ...host]);
    after.push(...(await selectLines(connection, where, 'oldest arrival', options.after - after.length)));
    low += size;
    size *= WINDOW_GROWTH;
  }
  return [...before.reverse(), found, ...after].map((row) => row.line);
}

/** Lines that arrived after `ordinal`, oldest first. `lastOrdinal` is where the next call goes on. */
export async function linesSince(
  connection: DuckDBConnection,
  filter: LineFilter,
  ordinal: number,
  limit: number,
  newestOrdinal: number,
): Promise<{ lines: Line[]; lastOrdinal: number }> {
  const conditions = filterConditions(filter);
  if (filter.fromMs !== undefined) conditions.push(atLeast(filter.fromMs));
  if (filter.toMs !== undefined) conditions.push(below(filter.toMs));
  const where = allOf([...between(ordinal + 1, newestOrdinal + 1), ...conditions]);
  const found = await selectLines(connection, where, 'oldest arrival', limit);
  const lastOrdinal = found.length === limit && limit > 0 ? found.at(-1)!.ordinal : Math.max(ordinal, newestOrdinal);
  return { lines: found.map((row) => row.line), lastOrdinal };
}

/** Arrival numbers `low..high-1`. */
function between(low: number, high: number): Condition[] {
  return [{ sql: `ordinal >= ${integer(low)} AND ordinal < ${integer(high)}`, values: [] }];
}
