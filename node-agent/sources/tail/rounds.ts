/** What a turn tells: there is more at once, nothing until somebody pokes, or come again after so many milliseconds. */
export type Turn = 'more' | 'done' | number;

export interface Ticket {
  /** There may be something to read. */
  poke(): void;
  /** Takes no more turns; resolves when the one under way has ended. */
  leave(): Promise<void>;
}

const BUSY_MS = 20;

/**
 * Lets many files be read in turns: each turn is a bounded piece of work, and who has more goes to the end of the queue.
 * So a file that floods takes no more than every other turn from one that has a single line. Two turns may be under way
 * at once: a read that hangs on a dead file system does not stop the rest. While `isBusy`, nobody reads.
 */
export function createRounds(
  deps: { isBusy(): boolean; onFault(error: unknown): void },
  lanes = 2,
): { enter(turn: () => Promise<Turn>): Ticket; stop(): void } {
  interface Seat {
    turn: () => Promise<Turn>;
    state: 'idle' | 'queued' | 'running';
    again: boolean;
    left: boolean;
    timer: NodeJS.Timeout | undefined;
    running: Promise<void>;
  }
  const queue: Seat[] = [];
  let active = 0;
  let stopped = false;
  let pause: NodeJS.Timeout | undefined;

  function ask(seat: Seat): void {
    if (seat.left || stopped) return;
    clearTimeout(seat.timer);
    if (seat.state === 'running') seat.again = true;
    if (seat.state !== 'idle') return;
    seat.state = 'queued';
    queue.push(seat);
    next();
  }

  function next(): void {
    while (active < lanes && queue.length > 0 && !stopped && pause === undefined) {
      if (deps.isBusy()) {
        pause = setTimeout(() => {
          pause = undefined;
          next();
        }, BUSY_MS);
        return;
      }
      const seat = queue.shift()!;
      if (seat.left) continue;
      active += 1;
      seat.state = 'running';
      seat.again = false;
      seat.running = run(seat);
    }
  }

  async function run(seat: Seat): Promise<void> {
    let told: Turn = 'done';
    try {
      told = await seat.turn();
    } catch (error) {
      deps.onFault(error);
      told = 1_000;
    }
    active -= 1;
    seat.state = 'idle';
    if (told === 'more' || seat.again) ask(seat);
    else if (told !== 'done' && !seat.left && !stopped) seat.timer = setTimeout(() => ask(seat), told);
    // Not in this stack: a queue of files that are ready must not keep the event loop.
    setImmediate(next);
  }

  return {
    enter(turn) {
      const seat: Seat = {
        turn,
        state: 'idle',
        again: false,
        left: false,
        timer: undefined,
        running: Promise.resolve(),
      };
      return {
        poke: () => ask(seat),
        async leave() {
          seat.left = true;
          clearTimeout(seat.timer);
          await seat.running;
        },
      };
    },
    stop() {
      stopped = true;
      clearTimeout(pause);
    },
  };
}
export type Rounds = ReturnType<typeof createRounds>;
