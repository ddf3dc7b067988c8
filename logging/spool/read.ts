import { EMPTY_HASH } from '../../common/wire/link.ts';
import { cutGap, gapFrame } from './frame.ts';
import type { EpochState } from './recover.ts';
import { frameOfRow, SPAN, type Table } from './table.ts';
import type { Frame, ReadFrom } from './types.ts';
import { isIntact } from './verify.ts';

/** A row on the way was altered on disk: repair the epoch and read again. */
export class AlteredRow extends Error {}

/** Rows that must be there are not found: the file is damaged in a way that SQLite does not see. */
export class MissingRows extends Error {}

/** Frames of an epoch from a number on; see `Spool.read`. Every body is checked against its hash first. */
export function readFrames(table: Table, state: EpochState, at: ReadFrom, maxBytes: number): Frame[] {
  const { epoch, acked, no } = state;
  const frames: Frame[] = [];
  let from = at.from;
  let bytes = 0;
  if (from < acked.next) {
    // The asker lacks what another store, or an older state of this one, had acked: it is gone here.
    const gap = { from, to: acked.next - 1, reason: 'freed', bytes: 0 };
    frames.push(gapFrame(epoch, gap, at.hash ?? EMPTY_HASH, acked.hash));
    from = acked.next;
  }
  const high = (no + 1) * SPAN;
  let row = table.before(no * SPAN, no * SPAN + from);
  if (row === undefined || row.key + row.count <= no * SPAN + from) row = table.after(no * SPAN + from, high);
  while (row !== undefined) {
    if (!isIntact(row)) throw new AlteredRow();
    const frame = frameOfRow(epoch, row);
    const { gap, first, hash } = frame.header;
    const startsHere = gap !== undefined && first < from && frames.length === 0;
    frames.push(startsHere ? gapFrame(epoch, cutGap(gap, from), at.hash ?? EMPTY_HASH, hash) : frame);
    bytes += frame.header.bytes + 200;
    row = bytes < maxBytes ? table.after(row.key + 1, high) : undefined;
  }
  if (frames.length === 0 && from < state.end.next) throw new MissingRows(`no row at ${from} of ${state.end.next}`);
  return frames;
}
