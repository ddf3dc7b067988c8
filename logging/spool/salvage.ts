import Database from 'better-sqlite3';
import { epochSchema, hashSchema } from '../../common/wire/link.ts';
import { createTable, type EpochRow, type Row, SPAN, type Table } from './table.ts';
import { isIntact } from './verify.ts';

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
    const epochs = from.epochs().filter(isEpoch);
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

function isEpoch(row: EpochRow): boolean {
  return (
    Number.isInteger(row.no) &&
    row.no > 0 &&
    Number.isInteger(row.next) &&
    row.next >= 0 &&
    epochSchema.safeParse(row.epoch).success &&
    hashSchema.safeParse(row.hash).success
  );
}

function copyRows(from: Table, into: Table, low: number): void {
  let reached = low - 1;
  try {
    for (let row = from.after(low, low + SPAN); row !== undefined; row = from.after(row.key + 1, low + SPAN)) {
      if (row.key <= reached) break;
      reached = row.key;
      keep(into, row);
    }
    return;
  } catch {}
  try {
    for (let row = from.before(low, low + SPAN - 1); row !== undefined; row = from.before(low, row.key - 1)) {
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
