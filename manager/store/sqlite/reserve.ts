import Database from 'better-sqlite3';

const RESERVE_BYTES = 3 * 1024 ** 2;

/**
 * Takes room on the disk for the time when it is full: signing in and stopping a machine write a few pages, and must
 * still work then. The room is inside our own files, where no other writer can take it: free pages in the database, and
 * a log file of that size, which SQLite writes from its beginning again after each checkpoint. It is made anew at each
 * start, since a clean close deletes the log. On a disk that is full already there is nothing to take.
 */
export function reserveRoom(db: Database.Database): void {
  try {
    db.exec('DROP TABLE IF EXISTS reserve; CREATE TABLE reserve (block BLOB) STRICT');
    // Two transactions: pages that are freed in the one that filled them are never written.
    db.prepare('INSERT INTO reserve (block) VALUES (zeroblob(?))').run(RESERVE_BYTES);
    db.exec('DROP TABLE reserve');
    db.pragma('wal_checkpoint(RESTART)');
  } catch (error) {
    if (!(error instanceof Database.SqliteError) || error.code !== 'SQLITE_FULL') throw error;
  }
}
