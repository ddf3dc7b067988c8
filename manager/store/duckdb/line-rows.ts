import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBBlobValue } from '@duckdb/node-api';
import { WebvirtError } from '../../../common/errors.ts';
import type { Line } from '../../../common/model/line.ts';
import { parseFields } from '../line-columns.ts';
import type { Plan } from './plan.ts';
import { type Condition, integer } from './query-sql.ts';
import type { Reading } from './reading.ts';
import { levelName, sourceName } from './schema.ts';

/**
 * The driver's own decoder drops a byte order mark at the start of a text. `encode` gives the bytes instead; for the short
 * texts, which are many, it is cheaper to give it a second one to drop.
 */
const marked = (name: string) =>
  `CASE WHEN starts_with(${name}, chr(65279)) THEN chr(65279) || ${name} ELSE ${name} END`;
const SHORT_TEXTS = ['agent', 'epoch', 'host', 'host_name', 'unit', 'instance', 'job', 'session'];
const COLUMNS = `ordinal, sort_ms, ts_ms, received_ms, seq, level, source, ${SHORT_TEXTS.map(marked).join(', ')},
  encode(message), fields`;

/** A stored line with its two places: in time and in the order of arrival. */
export interface StoredLine {
  ordinal: number;
  sortMs: number;
  line: Line;
}

/** Reads lines of a plan. `order` and `limit` are ours; text from outside is only in the condition's values. */
export async function selectLines(
  reading: Reading,
  plan: Plan,
  where: Condition,
  order: 'newest' | 'oldest arrival' | 'newest arrival',
  limit: number,
): Promise<StoredLine[]> {
  const by = { newest: 'sort_ms DESC, ordinal DESC', 'oldest arrival': 'ordinal', 'newest arrival': 'ordinal DESC' };
  const rest = `WHERE ${where.sql} ORDER BY ${by[order]} LIMIT ${integer(Math.trunc(limit))}`;
  const found = await reading.ask(plan, (from) => `SELECT ${COLUMNS} FROM ${from} ${rest}`, where.values);
  return found.map(readRow);
}

/** Runs a read and answers its rows. A pattern that the database cannot read is the caller's fault: `bad-query`. */
export async function runQuery(connection: DuckDBConnection, sql: string, values: string[]): Promise<unknown[][]> {
  try {
    return (await connection.runAndReadAll(sql, values)).getRows();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (sql.includes('regexp_matches') && /Invalid Input Error/.test(message)) {
      throw new WebvirtError(
        'bad-query',
        `The pattern could not be read: ${message.replace(/^Invalid Input Error: /, '')}`,
      );
    }
    throw error;
  }
}

function readRow(row: unknown[]): StoredLine {
  const [ordinal, sortMs, tsMs, receivedMs, seq, level, source, agent, epoch, host, hostName, ...rest] = row;
  const [unit, instance, job, session, message, fields] = rest;
  const line: Line = {
    id: `${agent}.${epoch}.${seq}`,
    tsMs: Number(tsMs),
    receivedMs: Number(receivedMs),
    level: levelName(Number(level)),
    host: String(host),
    hostName: String(hostName),
    agent: String(agent),
    source: sourceName(Number(source)),
    message: textOf(message),
  };
  if (Number(sortMs) !== line.tsMs) line.sortMs = Number(sortMs);
  if (unit !== null) line.unit = String(unit);
  if (instance !== null) line.instance = String(instance);
  if (job !== null) line.job = String(job);
  if (session !== null) line.session = String(session);
  if (fields !== null) line.fields = parseFields(String(fields));
  return { ordinal: Number(ordinal), sortMs: Number(sortMs), line };
}

/** A text that was read with `encode`. */
export function textOf(value: unknown): string {
  if (!(value instanceof DuckDBBlobValue)) return String(value);
  const { bytes } = value;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
