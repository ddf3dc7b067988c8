import type { Records } from './records.ts';
import type { SkippedTo } from './skip.ts';

/** Says what of a log was not read, or may not have been: a line each, at its place among the log's own. */
export function createLosses(records: Pick<Records, 'tellGap' | 'learn'>, now: () => number) {
  return {
    rotated(fromByte: number, lastReadMs: number): void {
      // Said once: what comes after this moment is another matter.
      records.learn({ seenMs: now() });
      const fields = { reason: 'rotated', fromByte, lastReadMs };
      records.tellGap('A log was rotated away; what it got last may not have been read', fields);
    },
    deleted({ offset, seenMs }: { offset: number; seenMs: number }): void {
      const fields = { reason: 'deleted', fromByte: offset, lastReadMs: seenMs };
      records.tellGap('A log was deleted while it was not read; what it got last may be missing', fields);
    },
    /** `bytes` are known to be lost; 0: nobody knows. */
    emptied({ offset, seenMs }: { offset: number; seenMs: number }, bytes: number): void {
      const known = bytes > 0 ? { droppedBytes: bytes } : {};
      const fields = { reason: 'emptied', fromByte: offset, lastReadMs: seenMs, ...known };
      records.tellGap('A log was emptied; what it got last may not have been read', fields);
    },
    behind(skipped: { from: number; lines: number }, to: SkippedTo, linesPerSecond: number): void {
      const fields = { reason: 'rate', dropped: skipped.lines, droppedBytes: to.offset - skipped.from, linesPerSecond };
      records.tellGap('Lines were left out: the log grows faster than it may be read', fields);
    },
  };
}
