import type { EpochCursor } from '../../common/wire/link.ts';
import { bodyFrame, gapFrame, runningHash } from './frame.ts';
import type { EpochState } from './recover.ts';
import { gapOfRow, type Row, rowOfFrame, SPAN, type Table } from './table.ts';
import { isIntact } from './verify.ts';

/**
 * Numbers the rows of one epoch that still wait anew in another one: bodies do not say their own numbers, only the chain
 * of hashes is made again. Returns the position behind the last row. The caller wraps it in a transaction.
 */
export function carryRows(table: Table, from: EpochState, into: EpochCursor & { no: number }): EpochCursor {
  let at: EpochCursor = { epoch: into.epoch, next: into.next, hash: into.hash };
  const high = (from.no + 1) * SPAN;
  let row = table.after(from.no * SPAN + from.acked.next, high);
  for (; row !== undefined; row = table.after(row.key + 1, high)) {
    const frame = renumbered(row, at);
    table.insert(rowOfFrame(into.no, frame, row));
    at = { epoch: at.epoch, next: at.next + row.count, hash: frame.header.hash };
  }
  return at;
}

function renumbered(row: Row, at: EpochCursor) {
  if (row.gap === null && row.body !== null && isIntact(row)) return bodyFrame(at, row.count, row.body);
  const bytes = row.body?.byteLength ?? 0;
  const gap = gapOfRow({ ...row, bytes }, 0, 'damaged');
  const text = Buffer.from(`gap ${at.next}`);
  const moved = { ...gap, from: at.next, to: at.next + row.count - 1 };
  return gapFrame(at.epoch, moved, at.hash, runningHash(at.hash, text));
}
