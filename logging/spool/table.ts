import type Database from 'better-sqlite3';
import type { Gap } from '../../common/model/line.ts';
import type { EpochCursor } from '../../common/wire/link.ts';
import { gapFrame, NO_BODY } from './frame.ts';
import type { Frame } from './types.ts';

/** Numbers of one epoch: the key of a row is `epochNo * SPAN + first`, so one integer gives order and place. */
export const SPAN = 2 ** 40;
/** What a row costs beside its body, for the cap. */
export const ROW_OVERHEAD_BYTES = 160;

export interface Row {
  key: number;
  count: number;
  prev: string;
  hash: string;
  /** Times of its first and last line. */
  ts0: number | null;
  ts1: number | null;
  /** JSON text of a gap, or null. */
  gap: string | null;
  body: Uint8Array | null;
}

/** A row without its body, for bookkeeping. */
export type RowHead = Omit<Row, 'body'> & { bytes: number };

export interface EpochRow {
  no: number;
  epoch: string;
  /** What the store has acked: first number it lacks, and the hash before it. */
  next: number;
  hash: string;
}

export interface Totals {
  lines: number;
  bytes: number;
}

const HEAD = 'key, count, prev, hash, ts0, ts1, gap, coalesce(length(body), 0) AS bytes';

/** The statements of the spool's file. Keys are numbers of `SPAN`; `to` is excluded everywhere. */
export function createTable(db: Database.Database) {
  const insert = db.prepare('INSERT INTO frames VALUES (@key, @count, @prev, @hash, @ts0, @ts1, @gap, @body)');
  const after = db.prepare('SELECT * FROM frames WHERE key >= ? AND key < ? ORDER BY key LIMIT 1');
  const before = db.prepare('SELECT * FROM frames WHERE key >= ? AND key <= ? ORDER BY key DESC LIMIT 1');
  const scan = db.prepare('SELECT * FROM frames WHERE key >= ? AND key < ? ORDER BY key');
  const scanBack = db.prepare('SELECT * FROM frames WHERE key >= ? AND key < ? ORDER BY key DESC');
  const heads = db.prepare(`SELECT ${HEAD} FROM frames WHERE key >= ? AND key < ? ORDER BY key`);
  const lastHead = db.prepare(`SELECT ${HEAD} FROM frames WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1`);
  const remove = db.prepare('DELETE FROM frames WHERE key >= ? AND key < ?');
  const totals = db.prepare(
    `SELECT coalesce(sum(CASE WHEN gap IS NULL THEN count ELSE 0 END), 0) AS lines,
       coalesce(sum(coalesce(length(body), 0) + ${ROW_OVERHEAD_BYTES}), 0) AS bytes
     FROM frames WHERE key >= ? AND key < ?`,
  );
  const epochs = db.prepare('SELECT no, epoch, next, hash FROM epochs ORDER BY no');
  const putEpoch = db.prepare('INSERT OR REPLACE INTO epochs VALUES (@no, @epoch, @next, @hash)');
  const removeEpoch = db.prepare('DELETE FROM epochs WHERE no = ?');
  return {
    insert: (row: Row) => void insert.run(row),
    /** First row at or after a key. */
    after: (from: number, to: number) => after.get(from, to) as Row | undefined,
    /** Last row at or before a key, not before `from`. */
    before: (from: number, key: number) => before.get(from, key) as Row | undefined,
    scan: (from: number, to: number) => scan.iterate(from, to) as IterableIterator<Row>,
    scanBack: (from: number, to: number) => scanBack.iterate(from, to) as IterableIterator<Row>,
    heads: (from: number, to: number) => heads.iterate(from, to) as IterableIterator<RowHead>,
    lastHead: (from: number, to: number) => lastHead.get(from, to) as RowHead | undefined,
    remove: (from: number, to: number) => void remove.run(from, to),
    totals: (from: number, to: number) => totals.get(from, to) as Totals,
    epochs: () => epochs.all() as EpochRow[],
    putEpoch: (epoch: EpochRow) => void putEpoch.run(epoch),
    removeEpoch: (no: number) => void removeEpoch.run(no),
  };
}
export type Table = ReturnType<typeof createTable>;

export function rowOfFrame(no: number, { header, body }: Frame, times: Pick<Row, 'ts0' | 'ts1'>): Row {
  const { first, count, prev, hash, gap } = header;
  const { ts0, ts1 } = times;
  const rest = { key: no * SPAN + first, count, prev, hash, ts0, ts1 };
  return gap === undefined ? { ...rest, gap: null, body } : { ...rest, gap: JSON.stringify(gap), body: null };
}

export function rowOfGap(no: number, gap: Gap, prev: string, hash: string): Row {
  const ts = { ts0: gap.firstTsMs ?? null, ts1: gap.lastTsMs ?? null };
  return rowOfFrame(no, gapFrame('', gap, prev, hash), ts);
}

/** The gap that stands for a row when its lines are given up. */
export function gapOfRow(row: RowHead, first: number, reason: string): Gap {
  if (row.gap !== null) return JSON.parse(row.gap) as Gap;
  return {
    from: first,
    to: first + row.count - 1,
    reason,
    bytes: row.bytes,
    ...(row.ts0 === null ? {} : { firstTsMs: row.ts0 }),
    ...(row.ts1 === null ? {} : { lastTsMs: row.ts1 }),
  };
}

export function frameOfRow(epoch: string, row: Row): Frame {
  const { count, prev, hash } = row;
  const first = row.key % SPAN;
  if (row.gap !== null) return gapFrame(epoch, JSON.parse(row.gap) as Gap, prev, hash);
  const body = row.body ?? NO_BODY;
  return { header: { epoch, first, count, prev, hash, bytes: body.byteLength }, body };
}

/** The position behind a row. */
export function behindRow(epoch: string, row: { key: number; count: number; hash: string }): EpochCursor {
  return { epoch, next: (row.key % SPAN) + row.count, hash: row.hash };
}
