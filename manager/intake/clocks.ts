/** Smaller differences are the road's, not the clock's: what is equal stays untouched. */
const JITTER_MS = 50;
/** So many times an agent told what its clock says are looked at; the quickest of them is believed. */
const SAMPLES = 8;
/** Two samples in a row that are this much behind the believed one, and agree, say that the clock was set back. */
const STEP_MS = 1_000;

interface Clock {
  /** Agent's wall clock minus our monotonic clock, each later than the truth by how long its message took. */
  samples: number[];
  /** What is applied, in the same terms; null before the first sample. */
  applied: number | null;
}

/** How far the clocks of agents are off. Times in milliseconds. */
export interface Clocks {
  /** An agent said what its clock shows. */
  told(agent: string, clockMs: number): void;
  /** The agent's clock minus ours, now; 0 when it is not known or too small to matter. */
  offsetMs(agent: string): number;
}

/**
 * An agent's message takes some time to come, so each sample is the true offset less that time: the largest of the last
 * ones is the best. Held against our monotonic clock, so that a step of our own wall clock is corrected at once.
 */
export function createClocks({ nowMs, monotonicMs }: { nowMs: () => number; monotonicMs: () => number }): Clocks {
  const clocks = new Map<string, Clock>();

  function best(samples: number[]): number {
    return Math.max(...samples);
  }

  function add(clock: Clock, sample: number): void {
    const before = clock.samples.at(-1);
    const { samples } = clock;
    if (before !== undefined) {
      const isBack = best(samples) - sample > STEP_MS;
      // One late message is no step; two that say the same are. Forwards needs no such care: no message comes early.
      if (isBack && Math.abs(sample - before) < STEP_MS) samples.splice(0);
      else if (sample - best(samples) > STEP_MS) samples.splice(0);
    }
    samples.push(sample);
    if (samples.length > SAMPLES) samples.shift();
  }

  return {
    told(agent, clockMs) {
      if (!Number.isFinite(clockMs)) return;
      let clock = clocks.get(agent);
      if (clock === undefined) {
        clock = { samples: [], applied: null };
        clocks.set(agent, clock);
      }
      add(clock, clockMs - monotonicMs());
      const found = best(clock.samples);
      // What is applied moves only when it is wrong by more than the jitter: neighbouring batches keep their order.
      if (clock.applied === null || Math.abs(found - clock.applied) >= JITTER_MS) clock.applied = found;
    },
    offsetMs(agent) {
      const applied = clocks.get(agent)?.applied ?? null;
      if (applied === null) return 0;
      const offsetMs = Math.round(applied - (nowMs() - monotonicMs()));
      return Math.abs(offsetMs) < JITTER_MS ? 0 : offsetMs;
    },
  };
}
