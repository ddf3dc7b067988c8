import { gapSchema } from '../../common/model/line.ts';
import { epochSchema, hashSchema } from '../../common/wire/link.ts';
import { runningHash } from './frame.ts';
import { type EpochRow, type Row, type RowHead, SPAN } from './table.ts';

/** True when a row is one that the spool wrote: well-formed, and its body is the one that its hash was made from. */
export function isIntact(row: Row): boolean {
  if (!headIsSound({ ...row, bytes: row.body?.byteLength ?? 0 })) return false;
  if (row.gap !== null) return row.body === null;
  if (!(row.body instanceof Uint8Array) || runningHash(row.prev, row.body) !== row.hash) return false;
  // The body says its own count first; the hash covers the body, so this ties the column to it.
  const start = `{"n":${row.count},`;
  return Buffer.from(row.body.buffer, row.body.byteOffset, start.length).toString('latin1') === start;
}

/** What can be told without the body: types, hashes of the right form, a gap that says its own numbers. */
export function headIsSound(row: RowHead): boolean {
  if (!Number.isInteger(row.key) || !Number.isInteger(row.count) || row.count < 1) return false;
  if (!hashSchema.safeParse(row.prev).success || !hashSchema.safeParse(row.hash).success) return false;
  if (![row.ts0, row.ts1].every((ts) => ts === null || typeof ts === 'number')) return false;
  if (row.gap === null) return row.bytes > 0;
  try {
    const gap = gapSchema.parse(JSON.parse(row.gap));
    return gap.from === row.key % SPAN && gap.to === gap.from + row.count - 1;
  } catch {
    return false;
  }
}

export function epochIsSound({ no, epoch, next, hash }: EpochRow): boolean {
  const numbers = Number.isInteger(no) && no > 0 && Number.isInteger(next) && next >= 0;
  return numbers && epochSchema.safeParse(epoch).success && hashSchema.safeParse(hash).success;
}
