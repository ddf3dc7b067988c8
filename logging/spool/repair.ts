import type { Gap } from '../../common/model/line.ts';
import type { EpochCursor } from '../../common/wire/link.ts';
import { runningHash } from './frame.ts';
import { type EpochRow, type Row, rowOfGap, SPAN, type Table } from './table.ts';
import { headIsSound, isIntact } from './verify.ts';

export interface Repair {
  /** Numbers that were given up, as declared in gap rows. */
  gaps: Gap[];
  /** Position behind the last row. */
  end: EpochCursor;
  /** False when the true end could not be told: nothing may be numbered behind it. */
  endIsKnown: boolean;
}

/**
 * True when the rows of an epoch follow each other without a hole from its cursor on, judged by their heads: cheap, and
 * enough at a start. Bodies are checked when they are read.
 */
export function isContinuous(table: Table, epoch: EpochRow): boolean {
  let next = epoch.next;
  let hash = epoch.hash;
  for (const row of table.heads(epoch.no * SPAN + epoch.next, (epoch.no + 1) * SPAN)) {
    if (!headIsSound(row) || row.key % SPAN !== next || row.prev !== hash) return false;
    next += row.count;
    hash = row.hash;
  }
  return true;
}

/**
 * Reads every row of an epoch; keeps the intact ones and puts a gap where rows are missing or altered, so that the
 * numbers from the cursor on have no hole and the chain of hashes holds. What was acked and is kept is left as it is. `mark` is how far the epoch is known to have
 * come. The caller wraps it in a transaction.
 */
export function repairEpoch(table: Table, epoch: EpochRow, mark: EpochCursor | null): Repair {
  const low = epoch.no * SPAN;
  const high = low + SPAN;
  const known = mark?.epoch === epoch.epoch ? mark : null;
  const gaps: Gap[] = [];
  const at = { next: epoch.next, hash: epoch.hash };
  /** What was thrown out since the last intact row. */
  let bad = { rows: 0, lines: 0, bytes: 0 };

  const declare = (to: number, hash: string) => {
    const gap = { from: at.next, to, reason: 'damaged', bytes: bad.bytes };
    gaps.push(gap);
    table.insert(rowOfGap(epoch.no, gap, at.hash, hash));
    Object.assign(at, { next: to + 1, hash });
  };

  for (let row = table.after(low + epoch.next, high); row !== undefined; row = table.after(row.key + 1, high)) {
    const first = row.key - low;
    if (follows(row, first, at, known)) {
      if (first > at.next) declare(first - 1, row.prev);
      bad = { rows: 0, lines: 0, bytes: 0 };
      Object.assign(at, { next: first + row.count, hash: row.hash });
      continue;
    }
    table.remove(row.key, row.key + 1);
    bad = { rows: bad.rows + 1, lines: bad.lines + countOf(row), bytes: bad.bytes + (row.body?.byteLength ?? 0) };
  }

  const lost = bad.rows > 0;
  const marked = known !== null && known.next > at.next;
  if (marked) declare(known.next - 1, known.hash);
  else if (lost) declare(at.next + bad.lines - 1, runningHash(at.hash, Buffer.from('damaged')));
  return { gaps, end: { epoch: epoch.epoch, ...at }, endIsKnown: marked || !lost };
}

function follows(row: Row, first: number, at: { next: number; hash: string }, mark: { next: number } | null): boolean {
  if (first < at.next || !isIntact(row)) return false;
  if (mark !== null && first > at.next && first >= mark.next) return false;
  // Where numbers are missing the hash before it must be another one; else it is its number that was altered.
  return first === at.next ? row.prev === at.hash : row.prev !== at.hash;
}

/** A damaged row may say any count: one that cannot be is taken for a single line. */
function countOf({ count }: Row): number {
  return Number.isInteger(count) && count > 0 && count < 1e5 ? count : 1;
}
