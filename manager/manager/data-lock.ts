import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { makeFolder } from '../../logging/make-folder.ts';

export interface DataLock {
  release(): void;
}

/**
 * Makes the data directory and takes it for this process alone; two managers on one directory would each believe to be
 * the only writer. The lock is one of the kernel on `manager.lock`, so it ends with the process however that ends. Throws
 * an Error with words for people when another manager holds it, or when the directory cannot be made or written. `makeRoom`
 * is asked when the disk is full, by the one who has the lock: SQLite writes a header before it believes that.
 */
export function lockDataDir(dataDir: string, makeRoom: () => boolean = () => false): DataLock {
  try {
    makeFolder(dataDir);
    const path = join(dataDir, 'manager.lock');
    const pidPath = join(dataDir, 'manager.pid');
    const taken = () => new Error(`the data directory ${dataDir} is in use by another manager${holder(pidPath)}`);
    const db = take(path, taken, makeRoom);
    tell(pidPath);
    return { release: () => void db.close() };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const words: Record<string, string> = {
      EACCES: 'may not be written by this user',
      EPERM: 'may not be written by this user',
      EROFS: 'is on a file system that is mounted read-only',
      ENOTDIR: 'is not a folder, or lies inside a file',
      EEXIST: 'is not a folder',
      ENOENT: 'cannot be made: it is not on a disk',
      SQLITE_CANTOPEN: 'may not be written by this user',
      SQLITE_READONLY: 'may not be written by this user',
    };
    const what = words[code];
    if (what === undefined) throw error;
    throw new Error(`dataDir: ${dataDir} ${what} (WEBVIRT_DATA_DIR)`, { cause: error });
  }
}

/** For people who start a second one; the lock does not depend on it, so a full disk is no reason to give up here. */
function tell(pidPath: string): void {
  try {
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    rmSync(pidPath, { force: true });
  }
}

function take(path: string, taken: () => Error, makeRoom: () => boolean): Database.Database {
  const db = new Database(path, { timeout: 0 });
  try {
    // Held by the open transaction: nothing is ever written to the file.
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    const { code } = error as { code?: string };
    if (code === 'SQLITE_FULL' && makeRoom()) return take(path, taken, () => false);
    throw code === 'SQLITE_BUSY' ? taken() : error;
  }
}

function holder(pidPath: string): string {
  try {
    return ` (process ${Number.parseInt(readFileSync(pidPath, 'utf8'), 10)})`;
  } catch {
    return '';
  }
}
