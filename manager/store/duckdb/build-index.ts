import { setImmediate } from 'node:timers/promises';
import { DuckDBBlobValue, type DuckDBConnection } from '@duckdb/node-api';
import { ODD_FIELDS } from './field-texts.ts';
import { addTexts, addValue, emptyTables, foldedLong, foldedShort, type GramTables, SEPARATOR } from './grams.ts';
import { runQuery } from './line-rows.ts';
import { placesOfFile } from './parquet-places.ts';
import { integer } from './query-sql.ts';
import { sourceName } from './schema.ts';
import { type Block, encodeIndex } from './segment-index.ts';
import { quotedText } from './sql-text.ts';
import { TimelineBuilder } from './timeline.ts';

/** A block with more text than this gets no filter: it would say of everything that it may be there. */
const LIMIT_BLOCK_BYTES = 32 * 1024 ** 2;
/** Columns whose whole values are in the filter. */
export const VALUE_COLUMNS = ['agent', 'host', 'host_name', 'unit', 'instance', 'job', 'session'] as const;

/** Text of blocks that is in memory at one time; a single block may have more. */
const LIMIT_TOGETHER_BYTES = 8 * 1024 ** 2;

/** What is read of a block before its texts. */
interface Found extends Omit<Block, 'short' | 'long'> {
  bytes: number;
}

/** Reads a file of sealed lines and makes its side file. A few blocks are in memory at a time. */
export async function buildIndex(connection: DuckDBConnection, path: string): Promise<Buffer> {
  const from = `read_parquet(${quotedText(path)})`;
  const rows = await runQuery(
    connection,
    `SELECT block, count(*), min(sort_ms), max(sort_ms), min(ordinal), max(ordinal), bit_or(1 << level::INTEGER),
       sum(strlen(message) + coalesce(strlen(fields), 0))::BIGINT,
       coalesce(bool_or(regexp_matches(fields, '${ODD_FIELDS}')), FALSE) FROM ${from} GROUP BY block ORDER BY block`,
    [],
  );
  const parts: Buffer[] = [];
  let offset = 0;
  const place = (bytes: Uint8Array): [number, number] => {
    parts.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    offset += bytes.length;
    return [offset - bytes.length, bytes.length];
  };
  const none = new Uint8Array(0);
  const blocks: Block[] = [];
  for (const group of together(rows.map(foundOf))) {
    const made = await tablesOf(connection, from, group);
    for (const { bytes: _, ...block } of group) {
      const tables = made.get(block.block);
      blocks.push({
        ...block,
        short: place(tables === undefined ? none : foldedShort(tables)),
        long: place(tables === undefined ? none : foldedLong(tables)),
      });
    }
  }
  const { timeline, data } = await timelineOf(connection, from);
  const [timelineOffset, timelineBytes] = place(data);
  const known = await placesOf(path, blocks);
  const sealed = known === null ? null : { places: known.places, tailOffset: place(known.tail)[0] };
  return encodeIndex({ blocks, timeline, timelineOffset, timelineBytes, sealed }, Buffer.concat(parts));
}

/** Null also when the numbers of the blocks have holes. */
async function placesOf(path: string, blocks: readonly Block[]): ReturnType<typeof placesOfFile> {
  const first = blocks[0]?.block ?? 0;
  if (blocks.some(({ block }, i) => block !== first + i)) return null;
  return placesOfFile(path, first, blocks.length);
}

function foundOf(row: unknown[]): Found {
  const [block, lines, minSortMs, maxSortMs, minOrdinal, maxOrdinal, levels, bytes, odd] = row.map(Number);
  return {
    ...{ block: block!, lines: lines!, minSortMs: minSortMs!, maxSortMs: maxSortMs! },
    ...{ minOrdinal: minOrdinal!, maxOrdinal: maxOrdinal!, levels: levels!, bytes: bytes! },
    oddFields: odd === 1,
  };
}

/** Neighbours whose texts are read at once: a query for each block would cost more than its texts. */
function together(found: readonly Found[]): Found[][] {
  const groups: Found[][] = [];
  let bytes = Infinity;
  for (const one of found) {
    bytes += one.bytes;
    if (bytes > LIMIT_TOGETHER_BYTES) {
      groups.push([]);
      bytes = one.bytes;
    }
    groups.at(-1)!.push(one);
  }
  return groups;
}

/** By block; a block with too much text is left out. */
async function tablesOf(
  connection: DuckDBConnection,
  from: string,
  group: readonly Found[],
): Promise<Map<number, GramTables>> {
  const made = new Map<number, GramTables>();
  const small = group.filter(({ bytes }) => bytes <= LIMIT_BLOCK_BYTES);
  if (small.length === 0) return made;
  const where = `block BETWEEN ${integer(small[0]!.block)} AND ${integer(small.at(-1)!.block)}`;
  const texts = await runQuery(
    connection,
    `SELECT block, count(*), encode(string_agg(lower(message), chr(${SEPARATOR}))),
       count(fields), encode(string_agg(lower(fields), chr(${SEPARATOR}))) FROM ${from} WHERE ${where} GROUP BY block`,
    [],
  );
  for (const [block, count, text, fieldsCount, fields] of texts) {
    const tables = emptyTables();
    made.set(Number(block), tables);
    addTexts(bytesOf(text), Number(count), tables);
    if (Number(fieldsCount) > 0) addTexts(bytesOf(fields), Number(fieldsCount), tables);
    // Somebody may wait for a line meanwhile.
    await setImmediate();
  }
  // Few lines of a block differ in all of these: what is told apart first need not be looked at line by line.
  const names = VALUE_COLUMNS.join(', ');
  const values = VALUE_COLUMNS.map((name) => `encode(string_agg(DISTINCT lower(${name}), chr(10)))`).join(', ');
  const rows = await runQuery(
    connection,
    `SELECT block, list(DISTINCT source), ${values}
     FROM (SELECT DISTINCT block, source, ${names} FROM ${from} WHERE ${where}) GROUP BY block`,
    [],
  );
  for (const [block, sources, ...columns] of rows) {
    const tables = made.get(Number(block))!;
    for (const code of (sources as { items: unknown[] }).items)
      addValue('source', Buffer.from(sourceName(Number(code))), tables);
    for (const [i, name] of VALUE_COLUMNS.entries()) addValues(name, bytesOf(columns[i]), tables);
  }
  return made;
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
