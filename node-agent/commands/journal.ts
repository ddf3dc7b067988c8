import Database from 'better-sqlite3';
import { WebvirtError } from '../../common/errors.ts';
import type { Command } from '../../common/wire/link.ts';
import { createEmergencyReserve } from './emergency-reserve.ts';
import { commandHash, type Entry, fromRow, type Outcome, type Row } from './journal-entry.ts';

/** What was asked of this agent and what came of it. Every change is on the disk when the call returns. */
export interface Journal {
  find(opId: string): Entry | undefined;
  /** Writes a new operation before anything of it is done. @throws {WebvirtError} journal-full */
  add(command: Command, at: { nowMs: number; beforeState: string | null; emergency: boolean }): Entry;
  /** The highest fencing token that was seen for an instance; -1 when none was. */
  fence(instance: string): number;
  /** The first time stays; the process is the last one. */
  started(opId: string, at: { nowMs: number; pid: number | null; pidStart: string | null }): Entry;
  ended(opId: string, nowMs: number, outcome: Outcome): Entry;
  /** Oldest first. */
  unfinished(): Entry[];
  unacked(): Entry[];
  /** On a full disk it is not kept; the outcome is then told again after the next connection. */
  ack(opId: string): void;
  close(): void;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS ops (
  op_id TEXT PRIMARY KEY, verb TEXT NOT NULL, instance TEXT, args_hash TEXT NOT NULL, args TEXT NOT NULL,
  fence INTEGER NOT NULL, actor TEXT NOT NULL, state TEXT NOT NULL, final INTEGER NOT NULL DEFAULT 0,
  pid INTEGER, pid_start TEXT, created_ms REAL NOT NULL, started_ms REAL, ended_ms REAL,
  error TEXT, result TEXT, stderr TEXT, before_state TEXT, after_state TEXT, acked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS ops_open ON ops (final, acked);
CREATE TABLE IF NOT EXISTS fences (instance TEXT PRIMARY KEY, fence INTEGER NOT NULL) STRICT;
`;
/** Rows beyond the cap that only operations which stop a machine may use. */
const EMERGENCY_ROWS = 64;

export function openJournal(config: { path: string; capRows: number }): Journal {
  const db = new Database(config.path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(SCHEMA);
  const reserve = createEmergencyReserve(`${config.path}.reserve`);
  reserve.fill();

  const find = db.prepare<[string], Row>('SELECT * FROM ops WHERE op_id = ?');
  const count = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM ops');
  const trim = db.prepare(
    'DELETE FROM ops WHERE rowid IN (SELECT rowid FROM ops WHERE final = 1 AND acked = 1 ORDER BY rowid LIMIT ?)',
  );
  const insert = db.prepare(
    `INSERT INTO ops (op_id, verb, instance, args_hash, args, fence, actor, state, created_ms, before_state)
     VALUES (?, ?, ?, ?, ?, ?, ?, 'planned', ?, ?)`,
  );
  const fence = db.prepare<[string], { fence: number }>('SELECT fence FROM fences WHERE instance = ?');
  const raise = db.prepare(
    `INSERT INTO fences (instance, fence) VALUES (?, ?)
     ON CONFLICT (instance) DO UPDATE SET fence = max(fence, excluded.fence)`,
  );
  const started = db.prepare(
    "UPDATE ops SET state = 'running', started_ms = coalesce(started_ms, ?), pid = ?, pid_start = ? WHERE op_id = ? AND final = 0",
  );
  const ended = db.prepare(
    `UPDATE ops SET state = ?, final = 1, ended_ms = ?, error = ?, result = ?, stderr = ?, after_state = ?
     WHERE op_id = ? AND final = 0`,
  );
  const unfinished = db.prepare<[], Row>('SELECT * FROM ops WHERE final = 0 ORDER BY rowid');
  const unacked = db.prepare<[], Row>('SELECT * FROM ops WHERE final = 1 AND acked = 0 ORDER BY rowid');
  const ack = db.prepare('UPDATE ops SET acked = 1 WHERE op_id = ? AND final = 1');

  function must(opId: string): Entry {
    const row = find.get(opId);
    if (row === undefined) throw new WebvirtError('internal', 'The journal lost an operation.', { opId });
    return fromRow(row);
  }

  /** What is under way is written down whatever it takes. */
  function givingUpReserve(write: () => unknown): void {
    try {
      write();
    } catch (fault) {
      if (!isDiskFault(fault)) throw fault;
      reserve.release();
      write();
    }
  }

  const write = db.transaction((command: Command, at: Parameters<Journal['add']>[1]) => {
    const excess = (count.get()?.n ?? 0) - config.capRows;
    if (excess >= 0) trim.run(excess + Math.ceil(config.capRows / 10));
    const room = config.capRows + (at.emergency ? EMERGENCY_ROWS : 0);
    if ((count.get()?.n ?? 0) >= room)
      throw new WebvirtError('journal-full', 'The journal of this host is full of outcomes nobody has taken yet.');
    const { opId, verb, instance, args, actor } = command;
    const hash = commandHash(command);
    insert.run(opId, verb, instance, hash, JSON.stringify(args), command.fence, actor, at.nowMs, at.beforeState);
    if (instance !== null) raise.run(instance, command.fence);
  });

  return {
    find(opId) {
      const row = find.get(opId);
      return row === undefined ? undefined : fromRow(row);
    },
    add(command, at) {
      try {
        write.immediate(command, at);
      } catch (error) {
        if (!isDiskFault(error)) throw error;
        if (!at.emergency) throw full(error);
        reserve.release();
        try {
          write.immediate(command, at);
        } catch (again) {
          throw isDiskFault(again) ? full(again) : again;
        }
      }
      return must(command.opId);
    },
    fence: (instance) => fence.get(instance)?.fence ?? -1,
    started(opId, { nowMs, pid, pidStart }) {
      givingUpReserve(() => started.run(nowMs, pid, pidStart, opId));
      return must(opId);
    },
    ended(opId, nowMs, outcome) {
      const error = outcome.error === null ? null : JSON.stringify(outcome.error);
      const result = outcome.result === null ? null : JSON.stringify(outcome.result);
      const row = [outcome.state, nowMs, error, result, outcome.stderr, outcome.afterState, opId];
      givingUpReserve(() => ended.run(...row));
      reserve.fill();
      return must(opId);
    },
    unfinished: () => unfinished.all().map(fromRow),
    unacked: () => unacked.all().map(fromRow),
    ack(opId) {
      try {
        ack.run(opId);
      } catch (fault) {
        // It is told once more at the next connection, and taken there again.
        if (!isDiskFault(fault)) throw fault;
      }
    },
    close: () => void db.close(),
  };
}

function isDiskFault(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN)/.test(error.code);
}

function full(cause: unknown): WebvirtError {
  return new WebvirtError('journal-full', undefined, {}, { cause });
}
