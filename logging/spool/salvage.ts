import Database from 'better-sqlite3';
import { createTable, type EpochRow, type Row, SPAN, type Table } from './table.ts';
import { epochIsSound, isIntact } from './verify.ts';

/**
 * Copies what can still be read of a damaged spool file into a fresh one: rows are read from the front until SQLite
 * gives up, then from the back. Returns the epochs that were found; the caller repairs each, which declares the holes.
 * Never throws for damage: nothing found is an answer too.
 */
export function salvage(damagedPath: string, into: Table): EpochRow[] {
  let db: Database.Database;
  try {
    db = new Database(damagedPath, { fileMustExist: true, timeout: 500 });
  } catch {
    return [];
  }
  try {
    const from = createTable(db);
    const epochs = from.epochs().filter(epochIsSound);
    for (const epoch of epochs) {
      into.putEpoch(epoch);
      copyRows(from, into, epoch.no * SPAN);
    }
    return epochs;
  } catch {
    return into.epochs();
  } finally {
    db.close();
  }
}

/** By scans, not by seeks: in a damaged tree a seek may miss rows that a scan passes. */
function copyRows(from: Table, into: Table, low: number): void {
  let reached = low - 1;
  try {
    for (const row of from.scan(low, low + SPAN)) {
      reached = Math.max(reached, row.key);
      keep(into, row);
    }
    return;
  } catch {}
  try {
    for (const row of from.scanBack(low, low + SPAN)) {
      if (row.key <= reached) return;
      keep(into, row);
    }
  } catch {}
}

function keep(into: Table, row: Row): void {
  if (!isIntact(row)) return;
  try {
    into.insert(row);
  } catch {
    // A key that came twice: the first one stays.
  }
}
