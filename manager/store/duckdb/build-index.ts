import { DuckDBBlobValue, type DuckDBConnection } from '@duckdb/node-api';
import { addText, addValue, emptyTables, folded, type GramTables } from './grams.ts';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';
import { sourceName } from './schema.ts';
import { type Block, encodeIndex } from './segment-index.ts';
import { quotedText } from './sql-text.ts';
import { TimelineBuilder } from './timeline.ts';

/** A block with more text than this gets no filter: it would say of everything that it may be there. */
const LIMIT_BLOCK_BYTES = 32 * 1024 ** 2;
/** Share of a table that is set at most: smaller tables answer "may be there" too often. */
const SHORT_FILLED = 0.2;
const LONG_FILLED = 0.3;
/** Columns whose whole values are in the filter. */
export const VALUE_COLUMNS = ['agent', 'host', 'host_name', 'unit', 'instance', 'job', 'session'] as const;

/** Reads a file of sealed lines and makes its side file. One block is in memory at a time. */
export async function buildIndex(connection: DuckDBConnection, path: string): Promise<Buffer> {
  const from = `read_parquet(${quotedText(path)})`;
  const rows = await runQuery(
    connection,
    `SELECT block, count(*), min(sort_ms), max(sort_ms), min(ordinal), max(ordinal), bit_or(1 << level::INTEGER),
       sum(strlen(message))::BIGINT FROM ${from} GROUP BY block ORDER BY block`,
    [],
  );
  const parts: Buffer[] = [];
  let offset = 0;
  const place = (bytes: Uint8Array): [number, number] => {
    parts.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    offset += bytes.length;
    return [offset - bytes.length, bytes.length];
  };
  const blocks: Block[] = [];
  for (const row of rows) {
    const [block, lines, minSortMs, maxSortMs, minOrdinal, maxOrdinal, levels, bytes] = row.map(Number);
    const tables = bytes! > LIMIT_BLOCK_BYTES ? null : await tablesOf(connection, from, block!);
    const none = new Uint8Array(0);
    blocks.push({
      ...{ block: block!, lines: lines!, minSortMs: minSortMs!, maxSortMs: maxSortMs! },
      ...{ minOrdinal: minOrdinal!, maxOrdinal: maxOrdinal!, levels: levels! },
      short: place(tables === null ? none : folded(tables.short, SHORT_FILLED)),
      long: place(tables === null ? none : folded(tables.long, LONG_FILLED)),
    });
  }
  const { timeline, data } = await timelineOf(connection, from);
  const [timelineOffset, timelineBytes] = place(data);
  return encodeIndex({ blocks, timeline, timelineOffset, timelineBytes }, Buffer.concat(parts));
}

async function tablesOf(connection: DuckDBConnection, from: string, block: number): Promise<GramTables> {
  const tables = emptyTables();
  // All texts as one: a group that goes over a border of two lines is one too many, never one too few.
  const values = VALUE_COLUMNS.map((name) => `encode(string_agg(DISTINCT lower(${name}), chr(10)))`).join(', ');
  const [row] = await runQuery(
    connection,
    `SELECT encode(string_agg(lower(message), chr(10))), list(DISTINCT source), ${values}
     FROM ${from} WHERE block = ${integer(block)}`,
    [],
  );
  const [texts, sources, ...columns] = row!;
  addText(bytesOf(texts), tables);
  for (const code of (sources as { items: unknown[] }).items)
    addValue('source', Buffer.from(sourceName(Number(code))), tables);
  for (const [i, name] of VALUE_COLUMNS.entries()) addValues(name, bytesOf(columns[i]), tables);
  return tables;
}

/** Values are cut at line ends: one that has a line end itself is found as its parts are not asked for. */
function addValues(name: string, joined: Uint8Array, tables: GramTables): void {
  for (let from = 0; from < joined.length; ) {
    const end = joined.indexOf(10, from);
    const to = end < 0 ? joined.length : end;
    addValue(name, joined.subarray(from, to), tables);
    from = to + 1;
  }
}

async function timelineOf(connection: DuckDBConnection, from: string): Promise<ReturnType<TimelineBuilder['take']>> {
  const builder = new TimelineBuilder();
  const result = await connection.stream(
    `SELECT sort_ms::DOUBLE, level, count(*)::DOUBLE FROM ${from} GROUP BY sort_ms, level ORDER BY sort_ms, level`,
  );
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const [times, levels, counts] = [0, 1, 2].map((i) => chunk!.getColumnValues(i) as number[]);
    for (let i = 0; i < chunk.rowCount; i += 1) builder.add(times![i]!, levels![i]!, counts![i]!);
  }
  return builder.take();
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof DuckDBBlobValue ? value.bytes : new Uint8Array(0);
}
