import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { makeFolder } from '../make-folder.ts';
import { ensurePlaces } from './places.ts';

const FORMAT = 1;
const KEEP_DAMAGED = 2;

const SCHEMA = `
  CREATE TABLE format AS SELECT ${FORMAT} AS no;
  CREATE TABLE epochs (no INTEGER PRIMARY KEY, epoch TEXT NOT NULL, next INTEGER NOT NULL, hash TEXT NOT NULL);
  CREATE TABLE frames (
    key INTEGER PRIMARY KEY, count INTEGER NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL,
    ts0 INTEGER, ts1 INTEGER, gap TEXT, body BLOB
  );
  PRAGMA user_version = ${FORMAT};`;

/**
 * Opens the spool's file, or makes it. Every commit is synced (`FULL`). The lock is exclusive: a second process on the
 * same file is refused with SQLITE_BUSY. Throws SQLite's errors; `isDamage` tells those that mean a damaged file.
 */
export function openDatabase(path: string, maxFileBytes?: number): Database.Database {
  makeFolder(dirname(path));
  const db = new Database(path, { timeout: 500 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('journal_size_limit = 16777216');
    if (maxFileBytes !== undefined) db.pragma(`max_page_count = ${Math.ceil(maxFileBytes / 4096)}`);
    const format = db.pragma('user_version', { simple: true }) as number;
    // Said twice in the file, so that an altered byte is not taken for a newer version.
    const known = format === 0 ? 0 : (db.prepare('SELECT no FROM format').pluck().get() as number);
    if (format !== known) throw Object.assign(new Error(`${path}: altered header`), { code: 'SQLITE_CORRUPT' });
    if (format > FORMAT) throw new Error(`${path} was written by a newer version of WebVirt (format ${format})`);
    if (format === 0) db.transaction(() => db.exec(SCHEMA)).immediate();
    ensurePlaces(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** True when an error means that the file itself is damaged. */
export function isDamage(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return false;
  // Altered bytes in the header or schema show as the second and third; a tree that leads to wrong places shows as a key
  // that is there twice.
  return /^SQLITE_(CORRUPT|NOTADB|ERROR|FORMAT|CONSTRAINT)/.test(code);
}

/** True when there is no room to write. */
export function isFull(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'SQLITE_FULL';
}

/** Sets a damaged file aside, with its log, under a name with the time; older ones go. Returns the new name. */
export function setAside(path: string, nowMs: number): string {
  const folder = dirname(path);
  const start = `${basename(path)}.damaged-`;
  const aside = join(folder, `${start}${nowMs}`);
  for (const end of ['', '-wal', '-shm']) {
    try {
      renameSync(`${path}${end}`, `${aside}${end}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  const old = readdirSync(folder).filter((name) => name.startsWith(start) && /-\d+$/.test(name));
  for (const name of old.sort().slice(0, -KEEP_DAMAGED))
    for (const end of ['', '-wal', '-shm']) rmSync(join(folder, `${name}${end}`), { force: true });
  return aside;
}
