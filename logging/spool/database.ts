import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
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
  finishReplacing(path);
  const db = new Database(path, { timeout: 500 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('journal_size_limit = 16777216');
    limitSize(db, null, maxFileBytes);
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

const MOST_PAGES = 4_294_967_294;

/**
 * With a floor: works the log into the file, and from then on the file grows no more, or up to the floor: SQLite says that
 * it is full before the disk does, and what is deleted makes room. Null: it may grow again, up to its limit.
 */
export function limitSize(db: Database.Database, floorBytes: number | null, maxFileBytes?: number): void {
  const most = maxFileBytes === undefined ? MOST_PAGES : Math.ceil(maxFileBytes / 4096);
  if (floorBytes !== null) db.pragma('wal_checkpoint(PASSIVE)');
  const now = floorBytes === null ? most : Number(db.pragma('page_count', { simple: true }));
  db.pragma(`max_page_count = ${Math.min(most, Math.max(now, Math.ceil((floorBytes ?? 0) / 4096)))}`);
}

/** True when SQLite itself finds nothing wrong in a file. Throws what the disk says, and damage that keeps it from looking. */
export function isWhole(path: string): boolean {
  if (!existsSync(path)) return true;
  const db = new Database(path, { fileMustExist: true, timeout: 500 });
  try {
    return db.pragma('quick_check(1)', { simple: true }) === 'ok';
  } finally {
    db.close();
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

const replacementOf = (path: string) => `${path}.new`;

/**
 * Makes a new file in the place of a damaged one: `fill` writes into it while the old one is still where it was. The old
 * one is set aside only when the new one is whole: an end or an error at any point leaves one of both. Returns the name
 * of the old one, aside.
 */
export function replaceDamaged(path: string, nowMs: number, fill: (db: Database.Database) => void): string {
  const made = replacementOf(path);
  for (const end of ['', '-journal']) rmSync(`${made}${end}`, { force: true });
  const db = new Database(made, { timeout: 500 });
  try {
    // No log: what is renamed is one file.
    db.pragma('journal_mode = DELETE');
    db.pragma('synchronous = FULL');
    db.transaction(() => db.exec(SCHEMA)).immediate();
    ensurePlaces(db);
    fill(db);
  } finally {
    db.close();
  }
  const aside = setAside(path, nowMs);
  finishReplacing(path);
  return aside;
}

/** A new file that waits for its name: the old one was on its way aside, so it is whole. */
function finishReplacing(path: string): void {
  if (existsSync(path) || !existsSync(replacementOf(path))) return;
  // The log of the old one would be taken for that of the new one.
  for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  renameSync(replacementOf(path), path);
}

/** Sets a damaged file aside, with its log, under a name with the time; older ones go. Returns the new name. */
function setAside(path: string, nowMs: number): string {
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
