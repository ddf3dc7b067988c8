import type { Gap } from '../../common/model/line.ts';
import { mergeGaps } from './frame.ts';
import { gapOfRow, ROW_OVERHEAD_BYTES, type RowHead, rowOfGap, SPAN, type Table } from './table.ts';

/** What must go. */
export interface Excess {
  bytes: number;
  lines: number;
}

/**
 * Gives up the oldest frames until the excess is gone. Each epoch that lost frames keeps one gap row, merged with the gap
 * before it, with exact numbers and bytes. Returns what went. The caller wraps it in a transaction; `between` is called
 * where rows are deleted and their gap is not written yet.
 */
export function trimOldest(
  table: Table,
  epochs: { no: number; acked: { next: number } }[],
  excess: Excess,
  between: () => void,
): Excess {
  const gone = { bytes: 0, lines: 0 };
  const enough = () => gone.bytes >= excess.bytes && gone.lines >= excess.lines;
  for (const { no, acked } of epochs) {
    if (enough()) break;
    const run: RowHead[] = [];
    for (const row of table.heads(no * SPAN + acked.next, (no + 1) * SPAN)) {
      if (enough()) break;
      // The first row makes place for the gap row, which costs its overhead again.
      gone.bytes += row.bytes + (run.length === 0 ? 0 : ROW_OVERHEAD_BYTES);
      gone.lines += row.gap === null ? row.count : 0;
      run.push(row);
    }
    if (run.some((row) => row.gap === null)) replaceRun(table, no, run, between);
  }
  return gone;
}

function replaceRun(table: Table, no: number, run: RowHead[], between: () => void): void {
  const first = run[0]!;
  const last = run.at(-1)!;
  const parts: Gap[] = run.map((row) => gapOfRow(row, row.key - no * SPAN, 'spool-full'));
  table.remove(first.key, last.key + 1);
  between();
  table.insert(rowOfGap(no, mergeGaps(parts), first.prev, last.hash));
}
