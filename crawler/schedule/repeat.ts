/** A task that repeats: `periodMs` after it ended it starts again, so that a slow one never runs beside itself. */
export interface Repeating {
  /** Runs it now, or once more right after the run that is under way. */
  nudge(): void;
  /** Resolves when the run under way has ended. */
  stop(): Promise<void>;
}

/** Starts after `firstMs`. The task must not reject. A period of 0 switches the repetition off; `nudge` still works. */
export function repeat(task: () => Promise<void>, periodMs: number, firstMs: number): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  const arm = (delayMs: number) => {
    clearTimeout(timer);
    if (!stopped && periodMs > 0) timer = setTimeout(run, delayMs);
  };
  const run = () => {
    clearTimeout(timer);
    running = task().finally(() => {
      running = null;
      if (again && !stopped) {
        again = false;
        run();
      } else arm(periodMs);
    });
  };
  arm(firstMs);
  return {
    nudge() {
      if (stopped) return;
      if (running === null) run();
      else again = true;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
