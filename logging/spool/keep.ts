import type { EpochState } from './recover.ts';
import { ROW_OVERHEAD_BYTES, SPAN, type Table } from './table.ts';

/** Acked lines stay no longer than this, by their own time. */
const KEEP_MS = 24 * 3_600_000;
/** Of the cap, at most. */
const KEEP_SHARE = 1 / 4;

/**
 * Rows that were acked stay while there is room: a store that was set back to an older copy gets its lines again, and a gap
 * can be filled. They are the rows before the cursor of their epoch; nothing that waits ever makes place for them.
 */
export function createKept(table: () => Table, capBytes: number, now: () => number) {
  let bytes = 0;

  function count(epochs: readonly EpochState[]): number {
    return epochs.reduce((sum, { no, saved }) => sum + table().totals(no * SPAN, no * SPAN + saved.next).bytes, 0);
  }

  /** Removes the oldest until no more than `limit` bytes of them are left, a little more so that it is not done each time. */
  function prune(epochs: readonly EpochState[], limit: number): void {
    const tooOldMs = now() - KEEP_MS;
    const wanted = bytes > limit ? limit - limit / 8 : Number.POSITIVE_INFINITY;
    for (const { no, acked } of epochs) {
      const low = no * SPAN;
      let removeTo = low;
      for (const row of table().heads(low, low + acked.next)) {
        if (bytes <= wanted && (row.ts1 === null || row.ts1 >= tooOldMs)) break;
        bytes -= row.bytes + ROW_OVERHEAD_BYTES;
        removeTo = row.key + 1;
      }
      if (removeTo > low) table().remove(low, removeTo);
    }
  }

  return {
    /** Counts anew what is on the disk. */
    load(epochs: readonly EpochState[]): void {
      bytes = count(epochs);
    },
    bytes: () => bytes,
    /** Puts back what a transaction that failed had counted. */
    restore(before: number): void {
      bytes = before;
    },
    /** So many bytes were acked, and stay for now. */
    add(acked: number): void {
      bytes += acked;
    },
    /**
     * Inside the transaction of a commit. `waiting`: bytes that wait. `grew`: something was acked. `none`: all must go, the
     * disk is full.
     */
    trim(epochs: readonly EpochState[], waiting: number, { grew, none }: { grew: boolean; none: boolean }): void {
      const limit = none ? 0 : Math.max(0, Math.min(capBytes * KEEP_SHARE, capBytes - waiting));
      if (grew || bytes > limit) prune(epochs, limit);
    },
  };
}
