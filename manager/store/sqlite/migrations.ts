import type { Database } from 'better-sqlite3';
import { WebvirtError } from '../../../common/errors.ts';
import { noStoreFailpoint, type StoreFailpoint } from '../failpoint.ts';

export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/**
 * Each noun is kept as the JSON text of its object plus the columns that are searched for. To change the schema, add
 * a migration at the end; never edit one that was released.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'first nouns',
    sql: `
      CREATE TABLE hosts (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE instances (host TEXT NOT NULL, id TEXT NOT NULL, changed_ms INTEGER NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (host, id)) STRICT, WITHOUT ROWID;
      CREATE TABLE jobs (id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, state TEXT NOT NULL, instance TEXT,
        host TEXT, doc TEXT NOT NULL) STRICT;
      CREATE INDEX jobs_by_time ON jobs (created_ms);
      CREATE INDEX jobs_by_instance ON jobs (instance, created_ms);
      CREATE INDEX jobs_unfinished ON jobs (created_ms) WHERE state IN ('planned', 'running');
      CREATE TABLE fences (instance TEXT PRIMARY KEY, fence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE members (email TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE sessions (id_hash TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX sessions_by_expiry ON sessions (expires_ms);
      CREATE TABLE tokens (id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, name TEXT NOT NULL,
        role TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER, last_used_ms INTEGER) STRICT, WITHOUT ROWID;
      CREATE INDEX tokens_by_owner ON tokens (owner);
      CREATE TABLE candidates (id TEXT PRIMARY KEY, last_seen_ms INTEGER NOT NULL, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE scans (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT;
      CREATE TABLE enrol_tokens (id TEXT PRIMARY KEY, secret TEXT NOT NULL, agent TEXT, created_by TEXT NOT NULL,
        created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, used_ms INTEGER, used_by TEXT) STRICT, WITHOUT ROWID;
      CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 2,
    name: 'saved searches and keep marks',
    sql: `
      CREATE TABLE searches (id TEXT PRIMARY KEY, owner TEXT NOT NULL, name_key TEXT NOT NULL, shared INTEGER NOT NULL,
        doc TEXT NOT NULL, UNIQUE (owner, name_key)) STRICT;
      CREATE TABLE keeps (id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL,
        to_ms INTEGER NOT NULL, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 3,
    name: 'rules, destinations and deliveries',
    sql: `
      CREATE TABLE rules (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT;
      CREATE TABLE rule_positions (rule TEXT PRIMARY KEY, position INTEGER NOT NULL, last_fired_ms INTEGER)
        STRICT, WITHOUT ROWID;
      CREATE TABLE rule_watches (rule TEXT NOT NULL, grp TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (rule, grp))
        STRICT, WITHOUT ROWID;
      CREATE TABLE rule_events (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, rule TEXT NOT NULL,
        ts_ms INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
      CREATE INDEX rule_events_by_rule ON rule_events (rule, n);
      CREATE TABLE destinations (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT;
      CREATE TABLE deliveries (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, destination TEXT NOT NULL,
        rule TEXT NOT NULL, state TEXT NOT NULL, created_ms INTEGER NOT NULL, next_try_ms INTEGER, doc TEXT NOT NULL) STRICT;
      CREATE INDEX deliveries_waiting ON deliveries (destination, next_try_ms) WHERE state = 'waiting';
    `,
  },
  {
    version: 4,
    name: 'what several managers share',
    sql: `
      CREATE TABLE shared (kind TEXT NOT NULL, id TEXT NOT NULL, version_ms INTEGER NOT NULL, writer TEXT NOT NULL,
        gone INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;
      ALTER TABLE rule_positions ADD COLUMN places TEXT;
    `,
  },
];

export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.version;

/**
 * Brings the file to the schema of this program, one transaction per step, so that a kill in between leaves a whole
 * earlier version. Throws `store-unavailable` on a file written by a newer program and leaves that file untouched.
 */
export function migrate(
  db: Database,
  path: string,
  nowMs: number,
  migrations: readonly Migration[] = MIGRATIONS,
  failpoint: StoreFailpoint = noStoreFailpoint,
): void {
  const known = migrations.at(-1)!.version;
  const exists = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").get() !== undefined;
  const found = exists
    ? (db.prepare('SELECT coalesce(max(version), 0) AS version FROM migrations').get() as { version: number }).version
    : 0;
  if (found > known) {
    throw new WebvirtError(
      'store-unavailable',
      `${path} was written by a newer WebVirt (schema ${found}, this program knows ${known}): start the newer program, or restore the backup made before the upgrade`,
      { path, found, known },
    );
  }
  const step = db.transaction((migration: Migration) => {
    db.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT',
    );
    db.exec(migration.sql);
    failpoint('M7');
    db.prepare('INSERT INTO migrations (version, name, applied_ms) VALUES (?, ?, ?)').run(
      migration.version,
      migration.name,
      nowMs,
    );
  });
  for (const migration of migrations) {
    if (migration.version <= found) continue;
    step.immediate(migration);
    failpoint('M7');
  }
}
