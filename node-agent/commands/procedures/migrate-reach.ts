/** A target that gives no answer while a live move is prepared is waited for this long, unless told. Milliseconds. */
export const WITHIN_MS = 20_000;
/** One silence may fall into the restart of a daemon. */
const LOST_AFTER = 2;
const LONGEST_ANSWER_MS = 10_000;
const LONGEST_END_MS = 3_000;

/** How the time is spent: preparations that take no longer are left alone, then two questions with a pause between. */
export function reachTimes(withinMs: number) {
  return {
    firstMs: withinMs * 0.4,
    pauseMs: withinMs * 0.2,
    answerMs: Math.ceil(Math.min(LONGEST_ANSWER_MS, withinMs * 0.2)),
    /** So long libvirt has for ending a move that it was told to end; then it is not waited for. */
    endMs: Math.min(LONGEST_END_MS, withinMs * 0.2),
  };
}

/**
 * While libvirt prepares a move it says nothing, and what it waits for may never come: the kernel tries to connect to a
 * host that lost its power for two minutes, and to a daemon that hangs it is connected at once and hears nothing for ever.
 * So the target is asked as well, on a connection of our own. One that answers may take its time: a large guest's memory
 * is claimed before anything is sent. `lost` is called once, when it does not answer time after time.
 */
export function watchReach(
  withinMs: number,
  deps: { answers(deadlineMs: number): Promise<boolean>; lost(): void },
): { stop(): void } {
  const { firstMs, pauseMs, answerMs } = reachTimes(withinMs);
  let stopped = false;
  let silent = 0;
  let timer: NodeJS.Timeout | undefined;

  async function ask(): Promise<void> {
    const answers = await deps.answers(answerMs).catch(() => true);
    if (stopped) return;
    silent = answers ? 0 : silent + 1;
    if (silent >= LOST_AFTER) {
      stopped = true;
      return deps.lost();
    }
    timer = setTimeout(() => void ask(), pauseMs);
  }
  timer = setTimeout(() => void ask(), firstMs);

  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
