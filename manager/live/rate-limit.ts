/** A bucket that holds two seconds' worth: `refuse` while it is empty, `cut` when that goes on. */
export function createRateLimit(
  { perSecond, cutAfter }: { perSecond: number; cutAfter: number },
  monotonicMs: () => number = () => performance.now(),
): { take(): 'pass' | 'refuse' | 'cut' } {
  const most = perSecond * 2;
  let tokens = most;
  let refused = 0;
  let lastMs = monotonicMs();
  return {
    take() {
      const nowMs = monotonicMs();
      tokens = Math.min(most, tokens + ((nowMs - lastMs) / 1_000) * perSecond);
      lastMs = nowMs;
      if (tokens >= 1) {
        tokens -= 1;
        // A pause forgives: only who goes on at a multiple of the rate is cut.
        refused = Math.max(0, refused - 10);
        return 'pass';
      }
      refused += 1;
      return refused > cutAfter ? 'cut' : 'refuse';
    },
  };
}
