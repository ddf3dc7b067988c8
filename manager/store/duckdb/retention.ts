import type { DuckDBConnection } from '@duckdb/node-api';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';

export interface RetentionRule {
  /** Lines received before this time are deleted. Receive time: an agent's clock deletes nothing. */
  receivedBeforeMs: number;
  /** When the file holds more than this, the oldest tenth is deleted. Absent: no limit. */
  limitBytes?: number;
}

export interface Deleted {
  lines: number;
  /** The newest receive time among the deleted lines. */
  toMs: number;
  /** Oldest time that is left, for the search; null when nothing is left. */
  oldestLeftMs: number | null;
  /** Bytes that were in use before. */
  usedBytes: number;
}

/**
 * Deletes the oldest lines, their samples and the ledger rows behind them, in the order of arrival. The last ledger
 * row of every epoch stays: the cursor of an agent outlives its lines. Answers null when everything may stay.
 */
export async function deleteOldest(connection: DuckDBConnection, rule: RetentionRule): Promise<Deleted | null> {
  const before = integer(Math.floor(rule.receivedBeforeMs));
  const [old] = await runQuery(connection, `SELECT max(ordinal) FROM lines WHERE received_ms < ${before}`, []);
  let upTo = old?.[0] === null || old === undefined ? -1 : Number(old[0]);
  const used = await usedBytes(connection);
  if (rule.limitBytes !== undefined && used > rule.limitBytes) {
    const [ends] = await runQuery(connection, 'SELECT min(ordinal), max(ordinal) FROM lines', []);
    const [first, last] = [Number(ends?.[0] ?? 0), Number(ends?.[1] ?? 0)];
    upTo = Math.max(upTo, first + Math.ceil((last - first + 1) / 10));
  }
  if (upTo < 0) return null;
  const at = integer(upTo);
  const [what] = await runQuery(connection, `SELECT count(*), max(received_ms) FROM lines WHERE ordinal <= ${at}`, []);
  await connection.run(`DELETE FROM lines WHERE ordinal <= ${at}`);
  await connection.run(
    `DELETE FROM ledger WHERE ordinal + line_count - 1 <= ${at}
       AND ordinal NOT IN (SELECT max(ordinal) FROM ledger GROUP BY agent, epoch)`,
  );
  const toMs = Number(what?.[1] ?? 0);
  await connection.run(`DELETE FROM samples WHERE ts_ms <= ${integer(toMs)}`);
  const [left] = await runQuery(connection, 'SELECT min(sort_ms) FROM lines', []);
  const oldest = left?.[0] ?? null;
  const oldestLeftMs = oldest === null ? null : Number(oldest);
  return { lines: Number(what?.[0] ?? 0), toMs, oldestLeftMs, usedBytes: used };
}

/** Bytes that are in use; freed blocks stay in the file and are used again. Deleted rows count until a checkpoint. */
export async function usedBytes(connection: DuckDBConnection): Promise<number> {
  const [row] = await runQuery(connection, 'SELECT used_blocks * block_size FROM pragma_database_size()', []);
  return Number(row?.[0] ?? 0);
}
