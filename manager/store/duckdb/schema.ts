import type { DuckDBConnection } from '@duckdb/node-api';
import { WebvirtError } from '../../../common/errors.ts';
import { LEVELS, type Level, type Source } from '../../../common/model/line.ts';
import { noStoreFailpoint, type StoreFailpoint } from '../failpoint.ts';

/** Grows by one with every change of the tables below; a newer file is refused, an older one is brought up. */
const SCHEMA_VERSION = 2;

/** Sources are kept as small numbers. A number is never given to another source: old lines would change theirs. */
const SOURCE_CODES = {
  manager: 0,
  agent: 1,
  crawler: 2,
  libvirt: 3,
  qemu: 4,
  console: 5,
  journal: 6,
  file: 7,
  compute: 8,
  audit: 9,
  external: 10,
} as const satisfies Record<Source, number>;

const SOURCE_NAMES = new Map(Object.entries(SOURCE_CODES).map(([name, code]) => [code as number, name as Source]));

export function sourceCode(source: string): number {
  return SOURCE_CODES[source as Source];
}

export function sourceName(code: number): Source {
  return SOURCE_NAMES.get(code) ?? 'external';
}

/** Levels are kept as their index in LEVELS: 0 is the most severe. */
export function levelCode(level: string): number {
  return LEVELS.indexOf(level as Level);
}

export function levelName(code: number): Level {
  return LEVELS[code] ?? 'info';
}

/** Columns of the hot table, and in this order of the sealed files. */
const LINE_COLUMNS = `
    ordinal BIGINT, sort_ms BIGINT, ts_ms BIGINT, received_ms BIGINT, seq BIGINT, level UTINYINT, source UTINYINT,
    agent VARCHAR, epoch VARCHAR, host VARCHAR, host_name VARCHAR,
    unit VARCHAR, instance VARCHAR, job VARCHAR, session VARCHAR, message VARCHAR, fields VARCHAR`;

/** The table that new lines go to. */
export const CREATE_LINES = `CREATE TABLE lines (${LINE_COLUMNS})`;

/**
 * `lines` and `ledger` are only ever appended to. The ledger has one row per committed batch: how far the epoch is
 * stored behind it, and the arrival number of its first line. Both are written in one transaction. There is no
 * unique index over lines: the ledger is what makes each number be stored once.
 */
const TABLES = `
  CREATE TABLE meta (name VARCHAR, value BIGINT);
  ${CREATE_LINES};
  CREATE TABLE ledger (
    first BIGINT, next BIGINT, ordinal BIGINT, line_count BIGINT, received_ms BIGINT,
    agent VARCHAR, epoch VARCHAR, hash VARCHAR);
  CREATE TABLE samples (ts_ms BIGINT, host BOOLEAN, id VARCHAR, cpu_ratio DOUBLE, memory_used_bytes DOUBLE);
`;

/**
 * What brings a file of the version before up to the key; a new file goes through all of them. Each may be run again.
 * 2: files of sealed lines, one row each. `layout` grows with every change of what is where; `sealing` is 1 while the
 * table `lines_sealing` is being written to such a file.
 */
const UPGRADES: ReadonlyMap<number, string> = new Map([
  [
    2,
    `CREATE TABLE IF NOT EXISTS segments (
       id BIGINT, file VARCHAR, bytes BIGINT, line_count BIGINT, min_sort_ms BIGINT, max_sort_ms BIGINT,
       min_received_ms BIGINT, max_received_ms BIGINT, min_ordinal BIGINT, max_ordinal BIGINT);
     DELETE FROM meta WHERE name IN ('layout', 'sealing', 'segment');
     INSERT INTO meta VALUES ('layout', 1), ('sealing', 0), ('segment', 0);`,
  ],
]);

/** Makes the tables in an empty file. Throws `store-unavailable` on a file that a newer program wrote. */
export async function prepareSchema(
  connection: DuckDBConnection,
  path: string,
  failpoint: StoreFailpoint = noStoreFailpoint,
): Promise<void> {
  const tables = await connection.runAndReadAll(
    "SELECT count(*)::INTEGER FROM information_schema.tables WHERE table_name = 'meta'",
  );
  const fresh = tables.getRows()[0]?.[0] === 0;
  const found = fresh ? 1 : await versionOf(connection);
  if (found > SCHEMA_VERSION) {
    throw new WebvirtError(
      'store-unavailable',
      `${path} was written by a newer WebVirt (schema ${found}, this program knows ${SCHEMA_VERSION}): start the newer program, or restore the backup made before the upgrade`,
      { path, found, known: SCHEMA_VERSION },
    );
  }
  if (!fresh && found === SCHEMA_VERSION) return;
  await connection.run('BEGIN');
  if (fresh) await connection.run(`${TABLES} INSERT INTO meta VALUES ('schema', 1)`);
  failpoint('M7');
  for (let version = found + 1; version <= SCHEMA_VERSION; version += 1) {
    await connection.run(UPGRADES.get(version) ?? '');
    failpoint('M7');
  }
  await connection.run(`UPDATE meta SET value = ${SCHEMA_VERSION} WHERE name = 'schema'`);
  await connection.run('COMMIT');
  failpoint('M7');
}

async function versionOf(connection: DuckDBConnection): Promise<number> {
  const rows = (await connection.runAndReadAll("SELECT max(value) FROM meta WHERE name = 'schema'")).getRows();
  return Number(rows[0]?.[0] ?? 0);
}
