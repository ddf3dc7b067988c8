import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { buildIndex } from './build-index.ts';
import { finishFile, unfinished, writeDurably } from './durable-file.ts';
import { indexName } from './index-shelf.ts';
import type { Segment } from './layout.ts';
import { runQuery } from './line-rows.ts';
import { COLUMNS_WITH_ORIGIN, columnsWithWords } from './origin-words.ts';
import { integer } from './query-sql.ts';
import { LINE_COLUMNS, linesIn } from './schema.ts';
import { removeSegments } from './segment-files.ts';
import { quotedText } from './sql-text.ts';

/** Lines of a block: a row group of the file, and what one filter speaks of. */
const BLOCK_LINES = 8_192;
/** Lines that are put in order by kind together: a search for the newest looks at so many at once. */
const STRETCH_LINES = 131_072;
/** Room of each part in the number by which new lines are sorted: 64 bits together, a stretch has eight. */
const LIMIT_STRETCHES = 256;
const SOURCE_BITS = 6;
const KIND_BITS = 24;
const ORDINAL_BITS = 24;
/** More blocks than any file has. */
const BLOCKS_OF_FILE = 2 ** 20;

export interface SegmentOptions {
  folder: string;
  id: number;
  /** What stands behind FROM, or the table of new lines: their kinds are known, and their origins are numbers. */
  from: string | { table: 'lines_sealing' };
  failpoint: (name: 'S2' | 'S3') => void;
  /** Told before anything of this name is written. */
  onNamed: (file: string) => void;
}

/**
 * Writes the lines of a source as one file with its side file. They are cut into stretches of time. Inside a stretch
 * errors and warnings come first, and lines of one kind stand together (the same source, the same words before the first
 * number): that makes the file smaller, and most blocks hold few kinds of message, so that a search can leave them out. Null: there are no lines.
 */
export async function writeSegment(connection: DuckDBConnection, options: SegmentOptions): Promise<Segment | null> {
  const { folder, id, failpoint, onNamed } = options;
  const table = typeof options.from === 'string' ? null : options.from.table;
  const from = table ?? String(options.from);
  const [row] = await runQuery(
    connection,
    `SELECT count(*), min(sort_ms), max(sort_ms), min(received_ms), max(received_ms), min(ordinal), max(ordinal) FROM ${from}`,
    [],
  );
  const [lines, minSortMs, maxSortMs, minReceivedMs, maxReceivedMs, minOrdinal, maxOrdinal] = row!.map(Number);
  if (lines === 0) return null;
  const file = `${new Date(minReceivedMs!).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z-${id}.parquet`;
  const path = join(folder, file);
  onNamed(file);
  const span = maxOrdinal! - minOrdinal!;
  const order = orderOf(
    await stretchesOf(connection, from, lines!),
    table !== null && span < 2 ** ORDINAL_BITS,
    minOrdinal!,
  );
  let bytes: number;
  try {
    const block = `${integer(id * BLOCKS_OF_FILE)} + (row_number() OVER () - 1) // ${BLOCK_LINES} AS block`;
    const words = table === null ? null : await columnsWithWords(connection, table);
    const rows =
      words === null
        ? `SELECT ${LINE_COLUMNS} FROM ${table === null ? from : linesIn(table)}`
        : `SELECT ${COLUMNS_WITH_ORIGIN} FROM ${from}`;
    // Bloom filters of Parquet would say less of what a block cannot contain than the side file does.
    await connection.run(
      `COPY (SELECT ${words ?? LINE_COLUMNS}, ${block} FROM (${rows} ORDER BY ${order}))
       TO ${quotedText(unfinished(path))}
       (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${BLOCK_LINES}, PARQUET_VERSION v2, WRITE_BLOOM_FILTER false)`,
    );
    failpoint('S2');
    bytes = await finishFile(path);
    const index = await buildIndex(connection, path);
    await writeDurably(join(folder, indexName(file)), index);
    bytes += index.length;
  } catch (error) {
    // A disk that is full would otherwise stay so.
    await removeSegments(folder, [file]).catch(() => undefined);
    throw error;
  }
  failpoint('S3');
  return {
    ...{ id, file, bytes, lines: lines! },
    ...{ minSortMs: minSortMs!, maxSortMs: maxSortMs!, minReceivedMs: minReceivedMs!, maxReceivedMs: maxReceivedMs! },
    ...{ minOrdinal: minOrdinal!, maxOrdinal: maxOrdinal! },
  };
}

/** What numbers equal parts of the lines by time, from 0 on: late lines come to those of their own time. */
async function stretchesOf(connection: DuckDBConnection, from: string, lines: number): Promise<string> {
  const count = Math.min(LIMIT_STRETCHES, Math.ceil(lines / STRETCH_LINES));
  if (count <= 1) return '0';
  const shares = Array.from({ length: count - 1 }, (_, i) => ((i + 1) / count).toFixed(6)).join(', ');
  const [row] = await runQuery(connection, `SELECT quantile_disc(sort_ms, [${shares}]) FROM ${from}`, []);
  const bounds = [...new Set((row![0] as { items: bigint[] }).items.map(Number))];
  return `CASE ${bounds.map((ms, i) => `WHEN sort_ms < ${integer(ms)} THEN ${i}`).join(' ')} ELSE ${bounds.length} END`;
}

/** What stands behind ORDER BY. As one number, where the parts have room in it, it is sorted in half the time. */
function orderOf(stretch: string, oneNumber: boolean, minOrdinal: number): string {
  if (!oneNumber) {
    const kind = "translate(left(message, 20), '0123456789', '')";
    // A number that stands there alone would mean a column.
    return `(${stretch})::INTEGER, least(level, 2), source, ${kind}, ordinal`;
  }
  const shifted = (sql: string, bits: number) => `((${sql})::UBIGINT << ${bits})`;
  return [
    shifted(stretch, 2 + SOURCE_BITS + KIND_BITS + ORDINAL_BITS),
    shifted('least(level, 2)', SOURCE_BITS + KIND_BITS + ORDINAL_BITS),
    shifted('source', KIND_BITS + ORDINAL_BITS),
    shifted(`kind & ${2 ** KIND_BITS - 1}`, ORDINAL_BITS),
    `(ordinal - ${integer(minOrdinal)})::UBIGINT`,
  ].join(' | ');
}
