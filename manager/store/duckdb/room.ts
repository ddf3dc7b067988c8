import type { Layout } from './layout.ts';

export interface RoomLimits {
  /** Lines and characters of text that may wait to be sealed, those that are being sealed included. */
  lines: number;
  characters: number;
}

/** Presses back on those who add lines while sealing is behind, so that memory and the file of new lines have a bound. */
export interface Room {
  /** Resolves when lines may be added: at once, or, with too many that are not sealed, when a sealing has ended. */
  wait(): Promise<void>;
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

  function isFull(): boolean {
    const { hot, sealing } = current();
    const lines = hot.lines + (sealing?.lines ?? 0);
    return lines >= limits.lines || hot.characters + (sealing?.characters ?? 0) >= limits.characters;
  }

  return {
    async wait() {
      while (!failing && isFull()) {
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
