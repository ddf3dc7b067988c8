import { chmodSync, closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import type { NumberedEvent, OutputEvent } from '../../../common/model/compute.ts';
import type { ComputeStore, StoredCell, StoredComputation } from '../ports.ts';
import { readDocuments } from './document.ts';
import { type Migration, migrate } from './migrations.ts';

const syncData = promisify(fdatasync);

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'computation sessions',
    sql: `
      CREATE TABLE computations (id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE events (session TEXT NOT NULL, seq INTEGER NOT NULL, ts_ms REAL NOT NULL, is_input INTEGER NOT NULL,
        doc TEXT NOT NULL, PRIMARY KEY (session, seq)) STRICT, WITHOUT ROWID;
      CREATE INDEX inputs ON events (session, seq) WHERE is_input = 1;
      CREATE TABLE cells (session TEXT NOT NULL, op_id TEXT NOT NULL, cell INTEGER NOT NULL, hash TEXT NOT NULL,
        PRIMARY KEY (session, op_id)) STRICT, WITHOUT ROWID;
    `,
  },
];

/**
 * Opens (or makes) the file of computations. A commit is written but not synced: syncing is done beside the event loop,
 * through the log file that SQLite appends to, so that nothing waits for the disk but what must not be said before.
 */
export function openComputeStore(path: string): ComputeStore & { close(): void } {
  const db = new Database(path, { timeout: 5_000 });
  let log: number;
  try {
    chmodSync(path, 0o600);
    // First of all: it cannot be set any more once something is in the file.
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    migrate(db, path, Date.now(), MIGRATIONS);
    // The log is there once something was written; a clean close has deleted it.
    db.exec('CREATE TABLE IF NOT EXISTS opened (at_ms INTEGER) STRICT; DELETE FROM opened');
    db.prepare('INSERT INTO opened (at_ms) VALUES (?)').run(Date.now());
    log = openSync(`${path}-wal`, 'r+');
    // The names of both files, too: SQLite would sync them with its own first sync only.
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    db.close();
    throw error;
  }
  return { ...statements(db, () => syncData(log)), close: () => close(db, log) };
}

function close(db: Database.Database, log: number): void {
  // A second close must not take a descriptor that is somebody else's by now.
  if (!db.open) return;
  closeSync(log);
  db.close();
}

function statements(db: Database.Database, sync: () => Promise<void>): ComputeStore {
  const sessions = db.prepare('SELECT doc FROM computations ORDER BY created_ms DESC, id');
  const putSession = db.prepare(
    `INSERT INTO computations (id, created_ms, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc`,
  );
  // A number that is there already would be a fault of ours: it throws, and the transaction is undone.
  const putEvent = db.prepare('INSERT INTO events (session, seq, ts_ms, is_input, doc) VALUES (?, ?, ?, ?, ?)');
  const putCell = db.prepare(
    'INSERT INTO cells (session, op_id, cell, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const events = db.prepare('SELECT seq, ts_ms, doc FROM events WHERE session = ? AND seq >= ? ORDER BY seq LIMIT ?');
  const inputs = db.prepare('SELECT doc FROM events WHERE session = ? AND is_input = 1 ORDER BY seq');
  const cell = db.prepare('SELECT session, cell, op_id AS opId, hash FROM cells WHERE session = ? AND op_id = ?');
  const removals = ['computations WHERE id', 'events WHERE session', 'cells WHERE session'].map((where) =>
    db.prepare(`DELETE FROM ${where} = ?`),
  );
  const write: (write: Parameters<ComputeStore['write']>[0]) => void = db.transaction((write) => {
    for (const session of write.sessions)
      putSession.run(session.id, Math.round(session.createdMs), JSON.stringify(session));
    for (const { session, list } of write.events)
      for (const { seq, tsMs, event } of list)
        putEvent.run(session, seq, tsMs, event.type === 'input' ? 1 : 0, JSON.stringify(event));
    for (const { session, opId, cell: number, hash } of write.cells) putCell.run(session, opId, number, hash);
  });
  const remove = db.transaction((ids: readonly string[]) => {
    for (const id of ids) for (const removal of removals) removal.run(id);
  });

  return {
    sessions: () => readDocuments<StoredComputation>(sessions.all()),
    write: (given) => write(given),
    sync,
    events(session, from, limit, limitBytes) {
      const list: NumberedEvent[] = [];
      let bytes = 0;
      for (const row of events.iterate(session, from, limit) as Iterable<{ seq: number; ts_ms: number; doc: string }>) {
        list.push({ seq: row.seq, tsMs: row.ts_ms, event: JSON.parse(row.doc) as OutputEvent });
        bytes += row.doc.length;
        if (bytes >= limitBytes) break;
      }
      return list;
    },
    inputs: (session, afterCell) =>
      readDocuments<OutputEvent>(inputs.all(session)).flatMap((event) =>
        event.type === 'input' && event.cell > afterCell ? [{ cell: event.cell, code: event.code }] : [],
      ),
    cellByOpId: (session, opId) => (cell.get(session, opId) as StoredCell | undefined) ?? null,
    remove(ids) {
      remove(ids);
      // Back to the disk, a little at a time.
      db.pragma('incremental_vacuum(256)');
    },
  };
}
