import type { DuckDBConnection } from '@duckdb/node-api';
import type { StoredGap } from '../../../common/model/ledger.ts';
import { columnsBetween } from '../../../common/wire/frames.ts';
import type { EpochLedger, LineBatch } from '../ports.ts';
import { runQuery } from './line-rows.ts';

/** Gaps that are told of one epoch, newest first. */
const LIMIT_GAPS = 100;

/**
 * What the ledger needs to know longer than the lines themselves: when an epoch began, every gap, and what was brought in
 * later. Only ever appended to, each row in the transaction of its lines.
 */
const TABLES = `
  CREATE TABLE IF NOT EXISTS epochs (agent VARCHAR, epoch VARCHAR, host VARCHAR, host_name VARCHAR, first_ms BIGINT);
  CREATE TABLE IF NOT EXISTS gaps (
    agent VARCHAR, epoch VARCHAR, first BIGINT, next BIGINT, bytes BIGINT, reason VARCHAR, first_ts BIGINT, last_ts BIGINT,
    received_ms BIGINT);
  CREATE TABLE IF NOT EXISTS fills (
    agent VARCHAR, epoch VARCHAR, first BIGINT, next BIGINT, ordinal BIGINT, hash VARCHAR, received_ms BIGINT);`;

export async function prepareFills(connection: DuckDBConnection): Promise<void> {
  await connection.run(TABLES);
}

/** The last arrival number that a filled line has; 0 when there is none. */
export async function lastFilledOrdinal(connection: DuckDBConnection): Promise<number> {
  const [row] = await runQuery(connection, 'SELECT max(ordinal + next - first - 1) FROM fills', []);
  return Number(row?.[0] ?? 0);
}

const big = (value: number) => String(Math.round(value));

/** Notes epochs that begin and gaps, inside the transaction of the batches. */
export async function noteGaps(connection: DuckDBConnection, batches: readonly LineBatch[]): Promise<void> {
  for (const { agent, epoch, host, hostName, first, receivedMs, gap } of batches) {
    if (first === 0) {
      const values = [agent, epoch, host, hostName, big(receivedMs)];
      await connection.run('INSERT INTO epochs VALUES (?, ?, ?, ?, CAST(? AS BIGINT))', values);
    }
    if (gap === null) continue;
    const { from, to, bytes, reason, firstTsMs, lastTsMs } = gap;
    const [firstTs, lastTs] = [firstTsMs, lastTsMs].map((ms) => (ms === undefined ? null : big(ms)));
    const values = [agent, epoch, big(from), big(to + 1), big(bytes), reason, firstTs ?? null, lastTs ?? null];
    await connection.run(
      `INSERT INTO gaps VALUES (?, ?, CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), ?, CAST(? AS BIGINT),
         CAST(? AS BIGINT), CAST(? AS BIGINT))`,
      [...values, big(receivedMs)],
    );
  }
}

/**
 * The parts of a batch that a gap covers and that were not brought in before: what may be stored of it. `hash` is that of
 * the batch where its end is in the part, else ''.
 */
export async function fillableParts(connection: DuckDBConnection, batch: LineBatch): Promise<LineBatch[]> {
  const { agent, epoch, first, count, columns, hash } = batch;
  if (columns === null) throw new TypeError('a gap is not filled with a gap');
  const values = [agent, epoch, big(first), big(first + count)];
  const spans = async (table: 'gaps' | 'fills') =>
    (
      await runQuery(
        connection,
        `SELECT first, next FROM ${table} WHERE agent = ? AND epoch = ? AND next > CAST(? AS BIGINT)
           AND first < CAST(? AS BIGINT) ORDER BY first`,
        values,
      )
    ).map(([from, next]) => ({ from: Number(from), next: Number(next) }));
  const filled = await spans('fills');
  return (await spans('gaps'))
    .map(({ from, next }) => ({ from: Math.max(from, first), next: Math.min(next, first + count) }))
    .flatMap((span) => without(span, filled))
    .map(({ from, next }) => ({
      ...batch,
      first: from,
      count: next - from,
      hash: next === first + count ? hash : '',
      columns: columnsBetween(columns, from - first, next - first),
    }));
}

interface Span {
  from: number;
  next: number;
}

/** What is left of a span without others, which are in order. */
function without(span: Span, others: readonly Span[]): Span[] {
  const left: Span[] = [];
  let { from } = span;
  for (const other of others) {
    if (other.next <= from || other.from >= span.next) continue;
    if (other.from > from) left.push({ from, next: other.from });
    from = Math.max(from, other.next);
  }
  if (from < span.next) left.push({ from, next: span.next });
  return left;
}

/** Notes what is brought in, inside the transaction of its lines. */
export async function noteFills(
  connection: DuckDBConnection,
  parts: readonly LineBatch[],
  ordinal: number,
): Promise<void> {
  let at = ordinal;
  for (const { agent, epoch, first, count, hash, receivedMs } of parts) {
    const numbers = [first, first + count, at].map(big);
    await connection.run(
      `INSERT INTO fills VALUES (?, ?, CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), ?, CAST(? AS BIGINT))`,
      [agent, epoch, ...numbers, hash, big(receivedMs)],
    );
    at += count;
  }
}

/** What became of every number, by epoch; the one that was heard last comes first. */
export async function readLedger(connection: DuckDBConnection, agent?: string): Promise<EpochLedger[]> {
  const where = agent === undefined ? '' : 'WHERE agent = ?';
  const values = agent === undefined ? [] : [agent];
  const rows = await runQuery(
    connection,
    `SELECT l.agent, l.epoch, coalesce(e.host, ''), coalesce(e.host_name, ''), l.next, coalesce(g.lost, 0),
       coalesce(f.filled, 0), coalesce(g.gaps, 0), coalesce(e.first_ms, l.first_ms), l.last_ms
     FROM (SELECT agent, epoch, max(next) AS next, min(received_ms) AS first_ms, max(received_ms) AS last_ms
           FROM ledger ${where} GROUP BY ALL) l
     LEFT JOIN (SELECT agent, epoch, arg_min(host, first_ms) AS host, arg_min(host_name, first_ms) AS host_name,
                  min(first_ms) AS first_ms FROM epochs GROUP BY ALL) e USING (agent, epoch)
     LEFT JOIN (SELECT agent, epoch, sum(next - first) AS lost, count(*) AS gaps FROM gaps GROUP BY ALL) g
       USING (agent, epoch)
     LEFT JOIN (SELECT agent, epoch, sum(next - first) AS filled FROM fills GROUP BY ALL) f USING (agent, epoch)
     ORDER BY l.last_ms DESC, l.epoch`,
    values,
  );
  const gaps = await readGaps(connection, where, values);
  return rows.map(([of, epoch, host, hostName, next, declared, filled, gapCount, firstMs, lastMs]) => {
    const lost = Number(declared) - Number(filled);
    return {
      agent: String(of),
      host: String(host),
      hostName: String(hostName),
      epoch: String(epoch),
      next: Number(next),
      lines: Number(next) - lost,
      lost,
      firstMs: Number(firstMs),
      lastMs: Number(lastMs),
      gaps: gaps.get(`${of} ${epoch}`) ?? [],
      gapCount: Number(gapCount),
    };
  });
}

async function readGaps(
  connection: DuckDBConnection,
  where: string,
  values: string[],
): Promise<Map<string, StoredGap[]>> {
  const rows = await runQuery(
    connection,
    `SELECT g.agent, g.epoch, g.first, g.next, g.bytes, g.reason, g.first_ts, g.last_ts, g.received_ms,
       coalesce((SELECT sum(f.next - f.first) FROM fills f
         WHERE f.agent = g.agent AND f.epoch = g.epoch AND f.first >= g.first AND f.next <= g.next), 0)
     FROM (SELECT * FROM gaps ${where} QUALIFY row_number() OVER (PARTITION BY agent, epoch ORDER BY first DESC)
             <= ${LIMIT_GAPS}) g ORDER BY g.first DESC`,
    values,
  );
  const byEpoch = new Map<string, StoredGap[]>();
  for (const [agent, epoch, first, next, bytes, reason, firstTs, lastTs, receivedMs, filled] of rows) {
    const key = `${agent} ${epoch}`;
    const list = byEpoch.get(key) ?? [];
    byEpoch.set(key, list);
    list.push({
      from: Number(first),
      to: Number(next) - 1,
      reason: String(reason),
      bytes: Number(bytes),
      ...(firstTs === null ? {} : { firstTsMs: Number(firstTs) }),
      ...(lastTs === null ? {} : { lastTsMs: Number(lastTs) }),
      receivedMs: Number(receivedMs),
      filled: Number(filled),
    });
  }
  return byEpoch;
}
