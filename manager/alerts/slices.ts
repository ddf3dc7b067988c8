import { setImmediate as nextStep } from 'node:timers/promises';

/** How long the rules may hold up everything else in one go. */
const LIMIT_SLICE_MS = 4;

/** Cuts long work into slices, between which everything else has its turn. */
export function createSlices(monotonicMs: () => number): { rest(): Promise<void> | null } {
  let startedMs = monotonicMs();
  return {
    /** Null while there is time left; else to be waited for. */
    rest() {
      if (monotonicMs() - startedMs < LIMIT_SLICE_MS) return null;
      return nextStep().then(() => {
        startedMs = monotonicMs();
      });
    },
  };
}
