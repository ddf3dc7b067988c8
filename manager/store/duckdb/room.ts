import type { Layout } from './layout.ts';

export interface RoomLimits {
  /** Lines and characters of text that may wait to be sealed, those that are being sealed included. */
  lines: number;
  characters: number;
}

/** Beyond the limits, for those who add little: whoever floods must not hold up the others with itself. */
const KEPT_FOR_LITTLE = 1 / 8;
/** So many lines at a time are little, and a small part of the limit. */
const MOST_LITTLE_LINES = 4_096;
const LITTLE_PART = 1 / 64;

/** Presses back on those who add lines while sealing is behind, so that memory and the file of new lines have a bound. */
export interface Room {
  /** More than so many lines at a time wait while it is full; fewer find room that is kept for them. */
  readonly limitLittleLines: number;
  isFull(): boolean;
  /** Resolves when so many lines may be added: at once, or, with too many that are not sealed, when a sealing has ended. */
  wait(lines: number): Promise<void>;
  /** A sealing ended. After one that failed nobody waits until one succeeds: the disk is the bound then, and says so. */
  sealed(ok: boolean): void;
  /** Milliseconds for which adding was held up so far. */
  heldBackMs(): number;
}

export function createRoom(limits: RoomLimits, current: () => Layout, look: () => void): Room {
  let waiting: (() => void)[] = [];
  let failing = false;
  let heldMs = 0;
  let sinceMs: number | null = null;

  const limitLittleLines = Math.min(MOST_LITTLE_LINES, Math.floor(limits.lines * LITTLE_PART));

  function isFullAt(part: number): boolean {
    if (failing) return false;
    const { hot, sealing } = current();
    const lines = hot.lines + (sealing?.lines ?? 0);
    return lines >= limits.lines * part || hot.characters + (sealing?.characters ?? 0) >= limits.characters * part;
  }

  return {
    limitLittleLines,
    isFull: () => isFullAt(1),
    async wait(count) {
      const part = count <= limitLittleLines ? 1 + KEPT_FOR_LITTLE : 1;
      while (isFullAt(part)) {
        sinceMs ??= performance.now();
        const ended = new Promise<void>((resolve) => waiting.push(resolve));
        look();
        await ended;
      }
      if (sinceMs === null) return;
      heldMs += performance.now() - sinceMs;
      sinceMs = null;
    },
    sealed(ok) {
      failing = !ok;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    heldBackMs: () => heldMs + (sinceMs === null ? 0 : performance.now() - sinceMs),
  };
}
