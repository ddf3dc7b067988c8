/** A bucket of lines: empties with each one, fills at a steady rate. May run into debt by one batch, which is waited for. */
export interface Rate {
  /** Takes so many whatever is there. */
  take(count: number): void;
  /** True when one more fits. */
  hasRoom(): boolean;
  /** Until there is room again, milliseconds. */
  waitMs(): number;
}

/** @param burst most that may come at once after a silence */
export function createRate(perSecond: number, burst: number, monotonicMs: () => number): Rate {
  let tokens = burst;
  let lastMs = monotonicMs();
  function fill(): void {
    const nowMs = monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - lastMs) / 1_000) * perSecond);
    lastMs = nowMs;
  }
  return {
    take(count) {
      fill();
      tokens -= count;
    },
    hasRoom() {
      fill();
      return tokens >= 1;
    },
    waitMs() {
      fill();
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1_000);
    },
  };
}
