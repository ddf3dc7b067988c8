import type { LibvirtJob } from '../../../common/wire/migration.ts';

/** The stop of the guest that is tried for first, and the longest that is tolerated when the caller names none. */
export const FIRST_DOWNTIME_MS = 50;
export const LONGEST_DOWNTIME_MS = 2_000;
/** Passes over the guest's memory with one limit before the next is tried. */
const ROUNDS_EACH = 2;

export interface Pace {
  /** The limit that holds now. */
  limitMs: number;
  /** Takes what libvirt says and answers what to do: set a longer limit, give up, or go on. */
  step(job: LibvirtJob, nowMs: number): { raiseToMs: number } | 'give-up' | null;
}

/**
 * A guest that changes its memory faster than a short stop allows to copy never hands over: the limit begins small, so
 * that a quiet guest hardly notices, and doubles while the passes do not come to an end. At the longest limit it is given
 * up after `giveUpMs`. Times are of the monotonic clock.
 */
export function createPace(options: { longestMs?: number | undefined; giveUpMs: number }): Pace {
  const longestMs = options.longestMs ?? LONGEST_DOWNTIME_MS;
  let limitMs = Math.min(FIRST_DOWNTIME_MS, longestMs);
  let sinceRound = 1;
  let atLongestMs: number | null = null;
  return {
    get limitMs() {
      return limitMs;
    },
    step(job, nowMs) {
      // The first pass copies everything and says nothing about the guest.
      if (job.rounds < 2) return null;
      if (limitMs < longestMs) {
        if (job.rounds - sinceRound < ROUNDS_EACH) return null;
        sinceRound = job.rounds;
        limitMs = Math.min(longestMs, limitMs * 2);
        return { raiseToMs: limitMs };
      }
      atLongestMs ??= nowMs;
      return nowMs - atLongestMs >= options.giveUpMs ? 'give-up' : null;
    },
  };
}
