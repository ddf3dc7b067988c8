import type { DuckDBConnection } from '@duckdb/node-api';
import { LEVELS, type Level } from '../../../common/model/line.ts';
import type { Segment } from './layout.ts';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';

/** What may go. All times are those at which the manager received a line: an agent's clock deletes nothing. */
export interface RetentionRule {
  /** Lines received before this time are deleted. */
  receivedBeforeMs: number;
  /** The same for single levels, instead. */
  levelsBeforeMs?: Partial<Record<Level, number>>;
  /** When all together takes more, the oldest is deleted. Absent: no limit. */
  limitBytes?: number;
  /** Lines received in these times stay whatever else is said. `toMs` excluded. */
  keep?: readonly { fromMs: number; toMs: number }[];
}

/** Time before which lines of each level go. Index: that of LEVELS. */
export function limitsOf({ receivedBeforeMs, levelsBeforeMs = {} }: RetentionRule): number[] {
  return LEVELS.map((level) => Math.floor(levelsBeforeMs[level] ?? receivedBeforeMs));
}

/** The condition of lines that go: received before the limit of their level (null: that level stays), and in no mark. */
export function goneCondition(limits: readonly (number | null)[], keep: RetentionRule['keep'] = []): string {
  const byLevel = limits.flatMap((ms, i) => (ms === null ? [] : [`(level = ${i} AND received_ms < ${whole(ms)})`]));
  if (byLevel.length === 0) return 'FALSE';
  const marks = keep.map(
    ({ fromMs, toMs }) =>
      ` AND NOT (received_ms >= ${whole(Math.floor(fromMs))} AND received_ms < ${whole(Math.ceil(toMs))})`,
  );
  return `(${byLevel.join(' OR ')})${marks.join('')}`;
}

/**
 * Of a file, the levels of which all lines go: it is written anew once a level has gone in full, not for every hour that
 * passes. Null: nothing of it goes yet.
 */
export function ripeLevels(segment: Segment, limits: readonly number[]): (number | null)[] | null {
  const ripe = limits.map((ms) => (segment.maxReceivedMs < ms ? ms : null));
  return ripe.every((ms) => ms === null) ? null : ripe;
}

/** Deletes lines of a table; answers how many, and the newest receive time among them. */
export async function deleteRows(
  connection: DuckDBConnection,
  table: string,
  condition: string,
): Promise<{ lines: number; toMs: number }> {
  const sql = `SELECT count(*), max(received_ms) FROM ${table} WHERE ${condition}`;
  const [row] = await runQuery(connection, sql, []);
  const lines = Number(row?.[0] ?? 0);
  if (lines > 0) await connection.run(`DELETE FROM ${table} WHERE ${condition}`);
  return { lines, toMs: Number(row?.[1] ?? 0) };
}

/**
 * Deletes the ledger rows of which no line is left, and samples of that time. The last ledger row of every epoch stays:
 * the cursor of an agent outlives its lines.
 */
export async function deleteBehind(
  connection: DuckDBConnection,
  { firstOrdinal, samplesToMs }: { firstOrdinal: number; samplesToMs: number },
): Promise<void> {
  await connection.run(
    `DELETE FROM ledger WHERE ordinal + line_count - 1 < ${integer(firstOrdinal)}
       AND ordinal NOT IN (SELECT max(ordinal) FROM ledger GROUP BY agent, epoch)`,
  );
  await connection.run(`DELETE FROM samples WHERE ts_ms <= ${integer(samplesToMs)}`);
}

/** Bytes that are in use in the database file; freed blocks stay in it and are used again. */
export async function usedBytes(connection: DuckDBConnection): Promise<number> {
  const [row] = await runQuery(connection, 'SELECT used_blocks * block_size FROM pragma_database_size()', []);
  return Number(row?.[0] ?? 0);
}

function whole(ms: number): string {
  return integer(Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, ms)));
}
