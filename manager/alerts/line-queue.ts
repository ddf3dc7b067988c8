import type { CommittedBatch } from './ports.ts';

/** Batches that wait to be looked at. They are held as they are; nothing is copied. */
export interface LineQueue {
  push(batches: readonly CommittedBatch[]): void;
  take(): CommittedBatch | undefined;
  clear(): void;
  readonly lines: number;
  /** Lines that were let go because too many waited: the store has them. */
  readonly skipped: number;
  /** True once lines were let go, until `caughtUp` is called. */
  readonly isBehind: boolean;
  caughtUp(): void;
  /** Arrival number of the newest line that was pushed; null before the first. */
  readonly upTo: number | null;
}

/** A queue that lets go of everything when it is full: its reader then goes on from the store. */
export function createLineQueue(limitLines: number): LineQueue {
  let waiting: CommittedBatch[] = [];
  let next = 0;
  let lines = 0;
  let skipped = 0;
  let isBehind = false;
  let upTo: number | null = null;
  const sizeOf = (batch: CommittedBatch) => batch.columns?.n ?? 1;

  function clear(): void {
    waiting = [];
    next = 0;
    lines = 0;
  }

  return {
    push(batches) {
      for (const batch of batches) {
        waiting.push(batch);
        lines += sizeOf(batch);
        upTo = batch.ordinal + sizeOf(batch) - 1;
      }
      if (lines <= limitLines) return;
      skipped += lines;
      isBehind = true;
      clear();
    },
    take() {
      const batch = waiting[next];
      if (batch === undefined) return undefined;
      next += 1;
      lines -= sizeOf(batch);
      if (next === waiting.length) clear();
      return batch;
    },
    clear,
    caughtUp() {
      isBehind = false;
    },
    get lines() {
      return lines;
    },
    get skipped() {
      return skipped;
    },
    get isBehind() {
      return isBehind;
    },
    get upTo() {
      return upTo;
    },
  };
}
