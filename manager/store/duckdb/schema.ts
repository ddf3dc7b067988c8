import type { DuckDBConnection } from '@duckdb/node-api';
import { WebvirtError } from '../../../common/errors.ts';
import { LEVELS, type Level, type Source } from '../../../common/model/line.ts';
import { noStoreFailpoint, type StoreFailpoint } from '../failpoint.ts';

/** Grows by one with every change of the tables below; a newer file is refused, an older one is brought up. */
const SCHEMA_VERSION = 3;

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

/** Columns of a line, as readers name them and, in this order, as the sealed files have them. */
export const LINE_COLUMNS =
  'ordinal, sort_ms, ts_ms, received_ms, seq, level, source, agent, epoch, host, host_name, unit, instance, job, session, message, fields';

/** The table that new lines go to. `origin` stands for agent, epoch and host; `kind` is that of `kindOf`. */
export const createLines = (table: 'lines' | 'lines_sealing') => `CREATE TABLE ${table} (
    ordinal BIGINT, sort_ms BIGINT, ts_ms BIGINT, received_ms BIGINT, seq BIGINT, level UTINYINT, source UTINYINT,
    origin INTEGER, kind UINTEGER,
    unit VARCHAR, instance VARCHAR, job VARCHAR, session VARCHAR, message VARCHAR, fields VARCHAR)`;

/** The same columns with what is known of the origin: what stands behind FROM for lines that are not sealed. */
export const linesIn = (table: 'lines' | 'lines_sealing') => `${table} JOIN origins USING (origin)`;

/**
 * The tables of the first version. `lines` and `ledger` are only ever appended to. The ledger has one row per committed batch: how far the epoch is
 * stored behind it, and the arrival number of its first line. Both are written in one transaction. There is no
 * unique index over lines: the ledger is what makes each number be stored once.
 */
const TABLES = `
  CREATE TABLE meta (name VARCHAR, value BIGINT);
  CREATE TABLE lines (
    ordinal BIGINT, sort_ms BIGINT, ts_ms BIGINT, received_ms BIGINT, seq BIGINT, level UTINYINT, source UTINYINT,
    agent VARCHAR, epoch VARCHAR, host VARCHAR, host_name VARCHAR,
    unit VARCHAR, instance VARCHAR, job VARCHAR, session VARCHAR, message VARCHAR, fields VARCHAR);
  CREATE TABLE ledger (
    first BIGINT, next BIGINT, ordinal BIGINT, line_count BIGINT, received_ms BIGINT,
    agent VARCHAR, epoch VARCHAR, hash VARCHAR);
  CREATE TABLE samples (ts_ms BIGINT, host BOOLEAN, id VARCHAR, cpu_ratio DOUBLE, memory_used_bytes DOUBLE);
`;

type Upgrade = (connection: DuckDBConnection) => Promise<unknown>;

/**
 * What brings a file of the version before up to the key; a new file goes through all of them. Each may be run again.
 * 2: files of sealed lines, one row each. `layout` grows with every change of what is where; `sealing` is 1 while the
 * table `lines_sealing` is being written to such a file.
 * 3: new lines have a number for their origin.
 */
const UPGRADES: ReadonlyMap<number, Upgrade> = new Map<number, Upgrade>([
  [2, (connection) => connection.run(SEGMENTS)],
  [3, numberOrigins],
]);

const SEGMENTS = `CREATE TABLE IF NOT EXISTS segments (
       id BIGINT, file VARCHAR, bytes BIGINT, line_count BIGINT, min_sort_ms BIGINT, max_sort_ms BIGINT,
       min_received_ms BIGINT, max_received_ms BIGINT, min_ordinal BIGINT, max_ordinal BIGINT);
     DELETE FROM meta WHERE name IN ('layout', 'sealing', 'segment');
     INSERT INTO meta VALUES ('layout', 1), ('sealing', 0), ('segment', 0);`;

async function numberOrigins(connection: DuckDBConnection): Promise<void> {
  const old = 'agent, epoch, host, host_name';
  const sealing = await hasTable(connection, 'lines_sealing');
  const tables = sealing ? (['lines_sealing', 'lines'] as const) : (['lines'] as const);
  const all = tables.map((table) => `SELECT DISTINCT ${old} FROM ${table}`).join(' UNION ');
  await connection.run(`CREATE TABLE origins AS SELECT (row_number() OVER ())::INTEGER AS origin, * FROM (${all})`);
  for (const table of tables) {
    await connection.run(`ALTER TABLE ${table} RENAME TO lines_before`);
    await connection.run(createLines(table));
    await connection.run(
      `INSERT INTO ${table} SELECT ordinal, sort_ms, ts_ms, received_ms, seq, level, source, origin, 0,
         unit, instance, job, session, message, fields FROM lines_before JOIN origins USING (${old}) ORDER BY ordinal;
       DROP TABLE lines_before`,
    );
  }
}

/** Makes the tables in an empty file. Throws `store-unavailable` on a file that a newer program wrote. */
export async function prepareSchema(
  connection: DuckDBConnection,
  path: string,
  failpoint: StoreFailpoint = noStoreFailpoint,
): Promise<void> {
  const fresh = !(await hasTable(connection, 'meta'));
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
    await UPGRADES.get(version)?.(connection);
    failpoint('M7');
  }
  await connection.run(`UPDATE meta SET value = ${SCHEMA_VERSION} WHERE name = 'schema'`);
  await connection.run('COMMIT');
  failpoint('M7');
}

async function hasTable(connection: DuckDBConnection, name: string): Promise<boolean> {
  const sql = `SELECT count(*)::INTEGER FROM information_schema.tables WHERE table_name = '${name}'`;
  return (await connection.runAndReadAll(sql)).getRows()[0]?.[0] !== 0;
}

async function versionOf(connection: DuckDBConnection): Promise<number> {
  const rows = (await connection.runAndReadAll("SELECT max(value) FROM meta WHERE name = 'schema'")).getRows();
  return Number(rows[0]?.[0] ?? 0);
}
