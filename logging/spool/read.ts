import { EMPTY_HASH } from '../../common/wire/link.ts';
import { behind, cutGap, gapFrame } from './frame.ts';
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
    // The asker lacks what another store, or a later state of this one, had acked.
    frames.push(...readKept(table, state, at, maxBytes));
    bytes = frames.reduce((sum, { header }) => sum + header.bytes + 200, 0);
    from = behind(frames.at(-1)!).next;
    if (from < acked.next || bytes >= maxBytes) return frames;
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

/** What was acked and is still kept, from a number on; the rest of it up to the cursor is a gap. At least one frame. */
function readKept(table: Table, { epoch, acked, no }: EpochState, at: ReadFrom, maxBytes: number): Frame[] {
  const frames: Frame[] = [];
  const low = no * SPAN;
  let pos = { epoch, next: at.from, hash: at.hash ?? EMPTY_HASH };
  let bytes = 0;
  const freed = (to: number, hash: string) => {
    frames.push(gapFrame(epoch, { from: pos.next, to, reason: 'freed', bytes: 0 }, pos.hash, hash));
  };
  let row = table.before(low, low + at.from);
  if (row === undefined || row.key + row.count <= low + at.from) row = table.after(low + at.from, low + acked.next);
  while (row !== undefined && row.key < low + acked.next && bytes < maxBytes) {
    // Altered on the disk: it is as if it were not there.
    if (isIntact(row)) {
      const frame = frameOfRow(epoch, row);
      const { first, gap, prev, hash } = frame.header;
      if (first > pos.next) freed(first - 1, prev);
      frames.push(
        gap !== undefined && first < pos.next ? gapFrame(epoch, cutGap(gap, pos.next), pos.hash, hash) : frame,
      );
      pos = behind(frame);
      bytes += frame.header.bytes + 200;
    }
    row = table.after(row.key + 1, low + acked.next);
  }
  if (row === undefined && pos.next < acked.next) freed(acked.next - 1, acked.hash);
  return frames;
}

/** Intact frames with lines that overlap `from..to`, waiting or kept: what a gap elsewhere can be filled with. */
export function findFrames(
  table: Table,
  { epoch, no }: EpochState,
  { from, to }: { from: number; to: number },
  maxBytes: number,
): Frame[] {
  const frames: Frame[] = [];
  const low = no * SPAN;
  let bytes = 0;
  let row = table.before(low, low + from);
  if (row === undefined || row.key + row.count <= low + from) row = table.after(low + from, low + to + 1);
  while (row !== undefined && row.key <= low + to && bytes < maxBytes) {
    if (row.gap === null && isIntact(row)) {
      frames.push(frameOfRow(epoch, row));
      bytes += row.body?.byteLength ?? 0;
    }
    row = table.after(row.key + 1, low + to + 1);
  }
  return frames;
}
