/**
 * Lines that may be read now: `linesPerSecond`, and five times that at once. A file waits where it is: being over the
 * pace loses nothing until too much waits.
 */
export function createPace(linesPerSecond: number, clock: () => number) {
  const burst = 5 * linesPerSecond;
  let tokens = burst;
  let atMs = clock();
  return {
    spend(lines: number): void {
      tokens -= lines;
    },
    /** 0 when reading may go on, else after how many milliseconds. */
    waitMs(): number {
      const nowMs = clock();
      tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * linesPerSecond);
      atMs = nowMs;
      return tokens > 0 ? 0 : Math.min(1_000, Math.ceil(((1 - tokens) / linesPerSecond) * 1_000));
    },
  };
}
