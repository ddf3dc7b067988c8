/** More than that is not gathered: one burst must not be more than a viewer's queue holds. */
const MOST_WAITING = 8;

/** Work that is worth doing seldom when it is dear, and at once when it is cheap. */
export interface Pace<T> {
  push(item: T): void;
  stop(): void;
}

/**
 * Does the work for an item at once, and then rests for twice as long as that took, at most `longestRestMs`; what comes
 * meanwhile is done together. One viewer waits for nothing; two hundred get fewer, fuller messages, and leave the
 * processor to who reads them.
 */
export function createPace<T>(longestRestMs: number, work: (items: T[]) => void): Pace<T> {
  let waiting: T[] = [];
  let restUntilMs = 0;
  let timer: NodeJS.Timeout | undefined;

  function run(): void {
    timer = undefined;
    const items = waiting;
    waiting = [];
    const startedMs = performance.now();
    try {
      work(items);
    } finally {
      const endedMs = performance.now();
      restUntilMs = endedMs + Math.min(2 * (endedMs - startedMs), longestRestMs);
    }
  }

  return {
    push(item) {
      waiting.push(item);
      if (timer !== undefined && waiting.length < MOST_WAITING) return;
      clearTimeout(timer);
      const restMs = restUntilMs - performance.now();
      // A timer is not finer than that.
      if (restMs < 1 || waiting.length >= MOST_WAITING) run();
      else timer = setTimeout(run, restMs);
    },
    stop() {
      clearTimeout(timer);
      waiting = [];
    },
  };
}
