import type { Client } from 'cassandra-driver';
import { WebvirtError } from '../../../common/errors.ts';
import { noStoreFailpoint, type StoreFailpoint } from '../failpoint.ts';

/** Grows by one with every change of the tables; a keyspace of a newer program is refused. */
const SCHEMA_VERSION = 2;

const TTL_TABLE =
  "compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 1}";

/** Every table, without keyspace. `conf/cassandra/schema.cql` says the same for people, with the reasons. */
export const TABLES: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS meta (name text PRIMARY KEY, value bigint)',
  `CREATE TABLE IF NOT EXISTS blocks (
  bucket int, shard int, ordinal bigint, part int,
  writer text, append int, agent text, epoch text, first bigint, reach int, count int, host text, host_name text,
  received_ms bigint, offset_ms double, min_sort_ms bigint, max_sort_ms bigint, levels frozen<list<int>>, body blob, grams blob,
  PRIMARY KEY ((bucket, shard), ordinal, part)
) WITH CLUSTERING ORDER BY (ordinal DESC, part ASC) AND ${TTL_TABLE}`,
  `CREATE TABLE IF NOT EXISTS slots (
  day int, slot int, bucket int, shard int,
  PRIMARY KEY (day, slot, bucket, shard)
) WITH CLUSTERING ORDER BY (slot DESC, bucket DESC, shard ASC) AND ${TTL_TABLE}`,
  `CREATE TABLE IF NOT EXISTS seen (
  kind text, value text, day int, bucket int, shard int,
  PRIMARY KEY ((kind, value, day), bucket, shard)
) WITH CLUSTERING ORDER BY (bucket DESC, shard ASC) AND ${TTL_TABLE}`,
  `CREATE TABLE IF NOT EXISTS places (
  agent text, epoch text, chunk bigint, first bigint, ordinal bigint, shard int, last bigint,
  PRIMARY KEY ((agent, epoch, chunk), first, ordinal)
) WITH ${TTL_TABLE}`,
  `CREATE TABLE IF NOT EXISTS tallies (
  day int, bucket int, writer text, lines bigint, bytes bigint,
  PRIMARY KEY (day, bucket, writer)
) WITH ${TTL_TABLE}`,
  `CREATE TABLE IF NOT EXISTS cursors (
  agent text, epoch text, next bigint, hash text, host text, host_name text, started_ms bigint,
  lines bigint, lost bigint, first_ms bigint, last_ms bigint, lasts map<text, text>, fence text,
  PRIMARY KEY (agent, epoch)
)`,
  `CREATE TABLE IF NOT EXISTS hashes (
  agent text, epoch text, next bigint, hash text,
  PRIMARY KEY ((agent, epoch), next)
) WITH ${TTL_TABLE.replace("'DAYS'", "'HOURS'")} AND default_time_to_live = 3600`,
  `CREATE TABLE IF NOT EXISTS gaps (
  agent text, epoch text, from_seq bigint, to_seq bigint, reason text, bytes bigint, first_ts_ms bigint,
  last_ts_ms bigint, received_ms bigint, filled bigint, parts text, mark text, fills map<text, text>, fence text,
  PRIMARY KEY ((agent, epoch), from_seq)
)`,
  `CREATE TABLE IF NOT EXISTS writers (
  manager text, writer text, bucket int, closed boolean,
  PRIMARY KEY (manager, writer)
)`,
  `CREATE TABLE IF NOT EXISTS voids (
  part int, writer text, append int, agent text, epoch text,
  PRIMARY KEY (part, writer, append, agent, epoch)
)`,
  `CREATE TABLE IF NOT EXISTS lanes (
  part int, lane int, manager text,
  PRIMARY KEY (part, lane)
)`,
  `CREATE TABLE IF NOT EXISTS kept (
  day int, bucket int, shard int, manager text, lines bigint, bytes bigint, slot_days frozen<list<int>>, released boolean,
  PRIMARY KEY (day, bucket, shard, manager)
)`,
];

/** What tables of an earlier version lack. */
const ADDED_COLUMNS = [{ table: 'blocks', column: 'grams', type: 'blob', since: 2 }];

export function tableName(statement: string): string {
  return /^CREATE TABLE IF NOT EXISTS (\w+) /.exec(statement)![1]!;
}

/**
 * Makes the keyspace (when `replication` is given: else it must be there) and the tables that are missing, and goes into
 * the keyspace. Throws `store-unavailable` on a keyspace that a newer program made.
 */
export async function prepareSchema(
  client: Client,
  keyspace: string,
  replication: string | null,
  failpoint: StoreFailpoint = noStoreFailpoint,
): Promise<void> {
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(keyspace)) throw new RangeError('not a name of a keyspace');
  if (replication !== null)
    await client.execute(`CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${replication}`);
  await client.execute(`USE ${keyspace}`);
  const tables = await client.execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?', [
    keyspace,
  ]);
  const there = new Set(tables.rows.map((row) => row['table_name']));
  // Who may not make tables may still use those that are there.
  for (const table of TABLES) {
    if (there.has(tableName(table))) continue;
    await client.execute(table);
    failpoint('M7');
  }
  const found = (await client.execute("SELECT value FROM meta WHERE name = 'schema'")).first();
  if (found === null) {
    await client.execute(`INSERT INTO meta (name, value) VALUES ('schema', ${SCHEMA_VERSION})`);
    return;
  }
  const version = Number(found['value']);
  if (version === SCHEMA_VERSION) return;
  if (version < SCHEMA_VERSION) {
    await bringUp(client, keyspace, version);
    return;
  }
  throw new WebvirtError(
    'store-unavailable',
    `Keyspace ${keyspace} was made by a newer WebVirt (schema ${version}, this program knows ${SCHEMA_VERSION}): start the newer program`,
    { keyspace, found: version, known: SCHEMA_VERSION },
  );
}

/** Each step may be repeated: one that was ended in between is found half done. */
async function bringUp(client: Client, keyspace: string, from: number): Promise<void> {
  for (const { table, column, type, since } of ADDED_COLUMNS) {
    if (since <= from) continue;
    const query =
      'SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ? AND column_name = ?';
    const found = await client.execute(query, [keyspace, table, column]);
    if (found.rows.length === 0) await client.execute(`ALTER TABLE ${table} ADD ${column} ${type}`);
  }
  await client.execute(`INSERT INTO meta (name, value) VALUES ('schema', ${SCHEMA_VERSION})`);
}

/** `'dc1:3,dc2:2'` as CQL; a number alone is SimpleStrategy, for one data centre or a test. */
export function replicationCql(text: string): string {
  if (/^[1-9]$/.test(text)) return `{'class': 'SimpleStrategy', 'replication_factor': ${text}}`;
  const parts = text.split(',').map((part) => {
    const [, dc, factor] = /^\s*([A-Za-z0-9_-]+):([1-9])\s*$/.exec(part) ?? [];
    if (dc === undefined) throw new RangeError(`not a replication: ${text}`);
    return `'${dc}': ${factor}`;
  });
  return `{'class': 'NetworkTopologyStrategy', ${parts.join(', ')}}`;
}
