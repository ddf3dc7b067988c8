/** A bucket of `perSecond` tokens that fills evenly. `take` is true while there are some. */
export function createRate(perSecond: number, nowMs: () => number = () => performance.now()) {
  let tokens = perSecond;
  let at = nowMs();
  return {
    take(): boolean {
      const now = nowMs();
      tokens = Math.min(perSecond, tokens + ((now - at) / 1_000) * perSecond);
      at = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
