import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { prepareFills } from './fills.ts';
import { IndexShelf, indexName } from './index-shelf.ts';
import { insertSegment, type Segment } from './layout.ts';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';
import { readableLines } from './readable-lines.ts';
import { sourceCode } from './schema.ts';
import { SegmentGuard } from './segment-guard.ts';
import type { Block } from './segment-index.ts';

const NAME = /-(\d{1,12})\.parquet$/;

/**
 * Takes the sealed files of a folder into a database that knows nothing yet: the one that knew them was damaged, or is gone.
 * How far each epoch is stored and what was lost of it is read from the lines themselves. Answers how many lines there are.
 */
export async function adoptSealed(connection: DuckDBConnection, folder: string): Promise<number> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => NAME.test(name));
  if (names.length === 0) return 0;
  const known = 'SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM segments)';
  if (Number((await runQuery(connection, known, []))[0]![0]) > 0) return 0;
  await prepareFills(connection);
  const guards = {
    shelf: new IndexShelf(folder, 0, () => undefined),
    guard: new SegmentGuard(folder, () => undefined),
  };
  const adopted: Found[] = [];
  // A file that was made of others, or is what is left of one, has the greater number.
  for (const file of names.sort((a, b) => numberOf(b) - numberOf(a))) {
    const found = await describe(connection, folder, file, guards);
    if (found === null || adopted.some(({ segment }) => overlap(segment, found.segment))) await putAside(folder, file);
    else adopted.push(found);
  }
  if (adopted.length === 0) return 0;
  await connection.run('BEGIN');
  try {
    for (const { segment } of adopted) await insertSegment(connection, segment);
    await rememberLines(connection, adopted.map(({ from }) => `SELECT * FROM ${from}`).join(' UNION ALL '));
    const last = adopted[0]!.segment.id;
    await connection.run(`UPDATE meta SET value = greatest(value, ${integer(last)}) WHERE name = 'segment'`);
    await connection.run("UPDATE meta SET value = value + 1 WHERE name = 'layout'");
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
  return adopted.reduce((sum, { segment }) => sum + segment.lines, 0);
}

interface Guards {
  shelf: IndexShelf;
  guard: SegmentGuard;
}

/** `from` is what stands behind FROM for those of its lines that are as they were written. */
interface Found {
  segment: Segment;
  from: string;
}

const numberOf = (name: string) => Number(NAME.exec(name)?.[1] ?? 0);

/** A file of which nothing else is known. */
const named = (file: string): Segment => ({
  ...{ id: numberOf(file), file, bytes: 0, lines: 0, minSortMs: 0, maxSortMs: 0 },
  ...{ minReceivedMs: 0, maxReceivedMs: 0, minOrdinal: 0, maxOrdinal: 0 },
});

const overlap = (a: Segment, b: Segment) => a.minOrdinal <= b.maxOrdinal && b.minOrdinal <= a.maxOrdinal;

/** What the database knew of a file; null: nothing of it can be read. */
async function describe(
  connection: DuckDBConnection,
  folder: string,
  file: string,
  guards: Guards,
): Promise<Found | null> {
  const { from } = await readableLines(named(file), { folder, ...guards });
  if (from === null) return null;
  const rows = await runQuery(
    connection,
    `SELECT count(*), min(sort_ms), max(sort_ms), min(received_ms), max(received_ms), min(ordinal), max(ordinal),
       max(hash(file)) FROM ${from} file`,
    [],
  ).catch(() => null);
  const [lines, ...ends] = (rows?.[0] ?? [0]).map(Number);
  if (lines === 0) return null;
  const [minSortMs, maxSortMs, minReceivedMs, maxReceivedMs, minOrdinal, maxOrdinal] = ends as Six;
  // Damaged blocks are its lines too: they are told as lost.
  const blocks = (await guards.shelf.get(named(file)))?.index.blocks ?? [];
  const least = (own: number, of: (block: Block) => number) =>
    blocks.reduce((end, block) => Math.min(end, of(block)), own);
  const most = (own: number, of: (block: Block) => number) =>
    blocks.reduce((end, block) => Math.max(end, of(block)), own);
  const segment: Segment = {
    ...{ id: numberOf(file), file, bytes: await bytesOf(folder, file) },
    lines: Math.max(
      lines!,
      blocks.reduce((sum, block) => sum + block.lines, 0),
    ),
    minSortMs: least(minSortMs, (block) => block.minSortMs),
    maxSortMs: most(maxSortMs, (block) => block.maxSortMs),
    ...{ minReceivedMs, maxReceivedMs },
    minOrdinal: least(minOrdinal, (block) => block.minOrdinal),
    maxOrdinal: most(maxOrdinal, (block) => block.maxOrdinal),
  };
  return { segment, from };
}

type Six = [number, number, number, number, number, number];

/** A line that stands for lost ones: it has the number of the first of them. */
const IS_GAP = `coalesce(source = ${sourceCode('agent')} AND contains(message, ' log lines are missing: ')
  AND TRY_CAST(json_extract_string(fields, '$.gap.from') AS BIGINT) = seq, FALSE)`;
const gapNumber = (name: string) => `TRY_CAST(json_extract_string(fields, '$.gap.${name}') AS BIGINT)`;

/** Writes what the ledger knew. What came in later stands between the ends of a gap. */
async function rememberLines(connection: DuckDBConnection, lines: string): Promise<void> {
  await connection.run(
    `INSERT INTO gaps SELECT agent, epoch, seq, ${gapNumber('to')} + 1, coalesce(${gapNumber('bytes')}, 0),
       coalesce(json_extract_string(fields, '$.gap.reason'), ''), ${gapNumber('firstTsMs')}, ${gapNumber('lastTsMs')},
       received_ms FROM (${lines}) WHERE ${IS_GAP};
     INSERT INTO epochs SELECT agent, epoch, arg_min(host, ordinal), arg_min(host_name, ordinal), min(received_ms)
       FROM (${lines}) GROUP BY agent, epoch;
     CREATE TEMP TABLE runs AS SELECT agent, epoch, min(seq) AS first, max(seq) + 1 AS next, min(ordinal) AS ordinal,
       max(received_ms) AS received_ms FROM (${lines}) WHERE NOT ${IS_GAP} GROUP BY agent, epoch, ordinal - seq;
     INSERT INTO fills SELECT agent, epoch, first, next, ordinal, '', received_ms FROM runs r WHERE ${IN_GAP};
     INSERT INTO ledger SELECT first, next, ordinal, next - first, received_ms, agent, epoch, '' FROM runs r
       WHERE NOT ${IN_GAP};
     INSERT INTO ledger SELECT seq, ${gapNumber('to')} + 1, ordinal, 1, received_ms, agent, epoch, ''
       FROM (${lines}) WHERE ${IS_GAP};
     DROP TABLE runs`,
  );
}

const IN_GAP = `EXISTS (SELECT 1 FROM gaps g WHERE g.agent = r.agent AND g.epoch = r.epoch AND g.first <= r.first
  AND r.next <= g.next)`;

async function bytesOf(folder: string, file: string): Promise<number> {
  const sizes = [file, indexName(file)].map((name) =>
    stat(join(folder, name))
      .then(({ size }) => size)
      .catch(() => 0),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Out of the way of what tidies the folder: a person may want it. */
async function putAside(folder: string, file: string): Promise<void> {
  await rename(join(folder, file), join(folder, `${file}.set-aside`));
}
