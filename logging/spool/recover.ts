import type Database from 'better-sqlite3';
import type { EpochCursor } from '../../common/wire/link.ts';
import type { Failpoint } from '../failpoint.ts';
import { isDamage, isWhole, openDatabase, replaceDamaged } from './database.ts';
import { type Mark, openMark } from './mark.ts';
import { salvagePlaces } from './places.ts';
import { isContinuous, repairEpoch } from './repair.ts';
import { salvage } from './salvage.ts';
import { behindRow, createTable, type EpochRow, SPAN, type Table } from './table.ts';
import { epochIsSound } from './verify.ts';

/** One epoch of an open spool. `saved` is the cursor on disk, `acked` the one the store has told since. */
export interface EpochState {
  no: number;
  epoch: string;
  saved: EpochCursor;
  acked: EpochCursor;
  /** Behind the last committed row. */
  end: EpochCursor;
}

/** Something that people should read in the stream. */
export interface Trouble {
  message: string;
  fields: Record<string, unknown>;
}

export interface OpenSpool {
  db: Database.Database;
  table: Table;
  mark: Mark;
  epochs: EpochState[];
  /** False when nothing may be numbered in the last epoch any more. */
  mayGoOn: boolean;
  troubles: Trouble[];
}

export interface OpenOptions {
  path: string;
  maxFileBytes?: number;
  failpoint: Failpoint;
  now(): number;
}

/**
 * Opens the spool whatever state its file is in: a damaged file is set aside and what can be read of it is taken over;
 * holes and altered rows become declared gaps. Throws only when the file cannot be opened at all (no permission, disk
 * full, locked by another process, written by a newer version). With `damage` the file was seen to be bad.
 */
export function openSpoolFile(options: OpenOptions, damage?: Error): OpenSpool {
  try {
    // A disk that failed to read looks like damage too: nothing is given up before the file itself says so.
    if (damage === undefined || isWhole(options.path))
      return recover(openDatabase(options.path, options.maxFileBytes), options, []);
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (damage === undefined) return openSpoolFile(options, error as Error);
  }
  return startOver(options, damage);
}

function startOver(options: OpenOptions, error: Error): OpenSpool {
  let epochs: string[] = [];
  const aside = replaceDamaged(options.path, options.now(), (db) => {
    const found = db.transaction(() => salvage(options.path, createTable(db))).immediate();
    db.transaction(() => salvagePlaces(options.path, db)).immediate();
    epochs = found.map(({ epoch }) => epoch);
  });
  const db = openDatabase(options.path, options.maxFileBytes);
  const trouble = {
    message: 'The spool file was damaged; it was set aside and what could be read was taken over',
    fields: { reason: error.message, setAside: aside, epochs },
  };
  return recover(db, options, [trouble]);
}

function recover(db: Database.Database, options: OpenOptions, troubles: Trouble[]): OpenSpool {
  let mark: Mark | null = null;
  try {
    const table = createTable(db);
    mark = openMark(`${options.path}.mark`);
    const marked = mark.read();
    const rows = table.epochs();
    if (!rows.every(epochIsSound)) throw Object.assign(new Error('altered epoch'), { code: 'SQLITE_CORRUPT' });
    let mayGoOn = rows.length > 0;
    const epochs = rows.map((row): EpochState => {
      options.failpoint('A11');
      const checked = checkEpoch(db, table, row, marked, troubles);
      if (row === rows.at(-1)) mayGoOn = checked.endIsKnown;
      const saved = { epoch: row.epoch, next: row.next, hash: row.hash };
      return { no: row.no, epoch: row.epoch, saved, acked: saved, end: checked.end };
    });
    return { db, table, mark, epochs, mayGoOn, troubles };
  } catch (error) {
    mark?.close();
    db.close();
    throw error;
  }
}

/** Repairs an epoch when its rows do not follow each other, or end before the mark. */
export function checkEpoch(
  db: Database.Database,
  table: Table,
  row: EpochRow,
  mark: EpochCursor | null,
  troubles: Trouble[],
  force = false,
): { end: EpochCursor; endIsKnown: boolean } {
  const low = row.no * SPAN;
  const last = table.lastHead(low + row.next, low + SPAN);
  const end = last === undefined ? { epoch: row.epoch, next: row.next, hash: row.hash } : behindRow(row.epoch, last);
  const isShort = mark !== null && mark.epoch === row.epoch && mark.next > end.next;
  if (!force && !isShort && isContinuous(table, row)) return { end, endIsKnown: true };
  const repair = db.transaction(() => repairEpoch(table, row, mark)).immediate();
  troubles.push({
    message: 'Lines in the spool were damaged; the lost numbers are declared as gaps',
    fields: { epoch: row.epoch, gaps: repair.gaps.slice(0, 20), gapCount: repair.gaps.length },
  });
  return repair;
}
