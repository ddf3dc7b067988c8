import type { Level } from '../../../common/model/line.ts';

/** Lines that were left out and are not told yet. */
export interface Dropped {
  count: number;
  worst: Level;
  firstMs: number;
  lastMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
  isShut: boolean;
  dropped: Dropped | null;
}

const ORDER: readonly Level[] = ['error', 'warn', 'info', 'debug'];
const MAX_UNITS = 4_000;

/**
 * The rate of each unit by the time its lines were said, not by the time they are read: what waited in the journal while
 * nobody read it is not punished. Once over the rate, a unit stays shut until it has a second's worth to spare, so that
 * what is left out is one stretch, told at its end.
 */
export function createUnitLimit(linesPerSecond: number, initial: Readonly<Record<string, Dropped>> = {}) {
  const burst = 5 * linesPerSecond;
  const buckets = new Map<string, Bucket>();
  let pending = 0;

  function bucketOf(unit: string, tsMs: number): Bucket {
    const known = buckets.get(unit);
    if (known !== undefined) return known;
    if (buckets.size >= MAX_UNITS)
      for (const [name, { dropped }] of buckets) {
        if (dropped === null) buckets.delete(name);
        if (buckets.size < MAX_UNITS) break;
      }
    const bucket: Bucket = { tokens: burst, atMs: tsMs, isShut: false, dropped: null };
    buckets.set(unit, bucket);
    return bucket;
  }

  for (const [unit, dropped] of Object.entries(initial)) {
    bucketOf(unit, dropped.lastMs).dropped = dropped;
    pending += 1;
  }

  function takeDropped(unit: string): Dropped | null {
    const bucket = buckets.get(unit);
    if (bucket === undefined || bucket.dropped === null) return null;
    const { dropped } = bucket;
    bucket.dropped = null;
    pending -= 1;
    return dropped;
  }

  return {
    /** True when a line of this unit may go on; false when it was counted as left out. */
    passes(unit: string, tsMs: number, level: Level): boolean {
      const bucket = bucketOf(unit, tsMs);
      const sinceMs = tsMs - bucket.atMs;
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, sinceMs) / 1_000) * linesPerSecond);
      // Entries come a little out of order; a clock that was set back starts anew.
      if (sinceMs > 0 || sinceMs < -1_000) bucket.atMs = tsMs;
      if (bucket.isShut ? bucket.tokens >= linesPerSecond : bucket.tokens >= 1) {
        bucket.isShut = false;
        bucket.tokens -= 1;
        return true;
      }
      bucket.isShut = true;
      const { dropped } = bucket;
      if (dropped === null) {
        pending += 1;
        bucket.dropped = { count: 1, worst: level, firstMs: tsMs, lastMs: tsMs };
      } else {
        dropped.count += 1;
        dropped.lastMs = tsMs;
        if (ORDER.indexOf(level) < ORDER.indexOf(dropped.worst)) dropped.worst = level;
      }
      return false;
    },
    /** What a unit has lost and nobody was told; it is told now. */
    takeDropped,
    /** All of it, to be kept with the place; undefined when there is none. */
    untold(): Record<string, Dropped> | undefined {
      if (pending === 0) return undefined;
      const all: Record<string, Dropped> = {};
      for (const [unit, { dropped }] of buckets) if (dropped !== null) all[unit] = dropped;
      return all;
    },
  };
}
export type UnitLimit = ReturnType<typeof createUnitLimit>;
