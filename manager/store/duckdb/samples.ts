import type { DuckDBConnection } from '@duckdb/node-api';
import type { SampleSeries } from '../../../common/model/sample.ts';
import type { SampleRow, SampleStore } from '../ports.ts';
import type { Engine } from './engine.ts';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';

/** Short histories of hosts and instances, in the same file as the lines. */
export function createSampleStore(engine: Engine): SampleStore {
  return {
    append: (rows) => (rows.length === 0 ? Promise.resolve() : engine.write((writer) => appendRows(writer, rows))),
    series: (kind, options) => engine.read((reader) => readSeries(reader, kind, options)),
  };
}

async function appendRows(connection: DuckDBConnection, rows: SampleRow[]): Promise<void> {
  const appender = await connection.createAppender('samples');
  try {
    for (const row of rows) {
      appender.appendBigInt(BigInt(Math.round(row.tsMs)));
      appender.appendBoolean(row.kind === 'host');
      appender.appendVarchar(row.id);
      appender.appendDouble(row.cpuRatio);
      appender.appendDouble(row.memoryUsedBytes);
      appender.endRow();
    }
    appender.closeSync();
  } catch (error) {
    // An appender that is thrown away flushes what it holds, into whatever transaction comes next.
    appender.clear();
    throw error;
  }
}

/** Samples older than the lines that are kept. */
export async function deleteOldSamples(connection: DuckDBConnection, beforeMs: number): Promise<void> {
  await connection.run(`DELETE FROM samples WHERE ts_ms < ${integer(Math.floor(beforeMs))}`);
}

/** Thinned by equal steps of time: a point is the mean of its step, at the time of the step's last sample. */
async function readSeries(
  connection: DuckDBConnection,
  kind: 'host' | 'instance',
  { ids, fromMs, points }: { ids?: string[]; fromMs: number; points: number },
): Promise<SampleSeries[]> {
  if (ids?.length === 0) return [];
  const from = Math.floor(fromMs);
  const where = [`host = ${kind === 'host'}`, `ts_ms >= ${integer(from)}`];
  if (ids !== undefined) where.push(`id IN (${ids.map(() => '?').join(', ')})`);
  const rows = await runQuery(
    connection,
    `WITH found AS (SELECT * FROM samples WHERE ${where.join(' AND ')}),
       step AS (SELECT greatest(1, ceil((max(ts_ms) + 1 - min(ts_ms)) / ${integer(Math.max(1, points))}))::BIGINT AS ms,
         min(ts_ms) AS low FROM found)
     SELECT id, max(ts_ms), avg(cpu_ratio), avg(memory_used_bytes) FROM found, step
     GROUP BY id, (ts_ms - low) // ms ORDER BY id, 2`,
    ids ?? [],
  );
  const series: SampleSeries[] = [];
  for (const [id, tsMs, cpuRatio, memoryUsedBytes] of rows) {
    let last = series.at(-1);
    if (last === undefined || last.id !== id) {
      last = { id: String(id), tsMs: [], cpuRatio: [], memoryUsedBytes: [] };
      series.push(last);
    }
    last.tsMs.push(Number(tsMs));
    last.cpuRatio.push(Number(cpuRatio));
    last.memoryUsedBytes.push(Number(memoryUsedBytes));
  }
  return series;
}
