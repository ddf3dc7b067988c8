import type { Level, Line } from '../../../common/model/line.ts';
import { LEVELS } from '../../../common/model/words.ts';
import { Emitter } from './emitter.ts';
import type { Unreadable } from './unreadable.ts';

export interface HistogramBucket {
  fromMs: number;
  counts: Record<Level, number>;
}

/** Lines by time and level in buckets of equal width. Event: `change`. */
export class Histogram extends Emitter {
  fromMs = 0;
  bucketMs = 1_000;
  readonly counts: Record<Level, Float64Array>;
  readonly size: number;
  /** What of the range cannot be read, as the manager said last. */
  unreadable: readonly Unreadable[] = [];

  constructor(size: number) {
    super();
    this.size = size;
    this.counts = Object.fromEntries(LEVELS.map((level) => [level, new Float64Array(size)])) as Record<
      Level,
      Float64Array
    >;
  }

  get toMs(): number {
    return this.fromMs + this.bucketMs * this.size;
  }

  /** Takes counts of a range from the manager; what was counted here before is replaced. */
  load(
    fromMs: number,
    toMs: number,
    buckets: readonly HistogramBucket[],
    unreadable: readonly Unreadable[] = [],
  ): void {
    this.fromMs = fromMs;
    this.unreadable = unreadable;
    this.bucketMs = Math.max(1, (toMs - fromMs) / this.size);
    for (const level of LEVELS) this.counts[level].fill(0);
    for (const bucket of buckets) {
      const index = this.#indexOf(bucket.fromMs + 0.5);
      if (index === null) continue;
      for (const level of LEVELS) this.counts[level][index]! += bucket.counts[level] ?? 0;
    }
    this.trigger('change');
  }

  /** Counts live lines; those outside the range are left to the next `load`. */
  add(lines: readonly Line[]): void {
    for (const line of lines) {
      const index = this.#indexOf(Math.min(line.tsMs, line.receivedMs));
      if (index !== null) this.counts[line.level][index]! += 1;
    }
    this.trigger('change');
  }

  /** Moves the range forward so that it holds `nowMs`; old buckets fall off at the left. */
  slideTo(nowMs: number): void {
    const steps = Math.floor((nowMs - this.toMs) / this.bucketMs) + 1;
    if (steps <= 0) return;
    this.fromMs += steps * this.bucketMs;
    for (const level of LEVELS) {
      const counts = this.counts[level];
      if (steps >= this.size) counts.fill(0);
      else {
        counts.copyWithin(0, steps);
        counts.fill(0, this.size - steps);
      }
    }
    this.trigger('change');
  }

  /** Largest sum of one bucket. */
  peak(): number {
    let peak = 0;
    for (let index = 0; index < this.size; index += 1) peak = Math.max(peak, this.total(index));
    return peak;
  }

  total(index: number): number {
    let sum = 0;
    for (const level of LEVELS) sum += this.counts[level][index]!;
    return sum;
  }

  /** What of a bucket cannot be read; it may belong to the buckets beside it too. */
  unreadableAt(index: number): Unreadable[] {
    const fromMs = this.fromMs + index * this.bucketMs;
    return this.unreadable.filter((one) => one.fromMs < fromMs + this.bucketMs && one.toMs >= fromMs);
  }

  #indexOf(tsMs: number): number | null {
    const index = Math.floor((tsMs - this.fromMs) / this.bucketMs);
    return index >= 0 && index < this.size ? index : null;
  }
}
