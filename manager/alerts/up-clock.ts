/**
 * How long lines have been watched for, over all starts. It stands while the manager does not run, while hosts come back
 * after its start, and while nothing can be stored: none of that is silence of a host.
 */
export interface UpClock {
  start(): void;
  upMs(): number;
  /** Call about once a second. */
  tick(): void;
  /** Lines were committed. */
  heard(): void;
  isRunning(): boolean;
}

export function createUpClock(
  config: { startMs: number; graceMs: number },
  deps: { monotonicMs: () => number; troubles(): number },
): UpClock {
  let sumMs = config.startMs;
  let fromMs: number | null = null;
  let startedMs = deps.monotonicMs();
  let troubles = deps.troubles();
  let isTroubled = false;

  function pause(): void {
    if (fromMs === null) return;
    sumMs += deps.monotonicMs() - fromMs;
    fromMs = null;
  }

  function check(): void {
    const now = deps.monotonicMs();
    const grown = deps.troubles();
    if (grown > troubles) isTroubled = true;
    troubles = grown;
    if (isTroubled || now - startedMs < config.graceMs) pause();
    else fromMs ??= now;
  }

  return {
    start() {
      startedMs = deps.monotonicMs();
      check();
    },
    upMs: () => sumMs + (fromMs === null ? 0 : deps.monotonicMs() - fromMs),
    tick: check,
    heard() {
      troubles = deps.troubles();
      isTroubled = false;
    },
    isRunning: () => fromMs !== null,
  };
}
