import type { PlainInfo } from '../plain-info.ts';

/** A line as viewers get it. Its number grows by one for each line of the program since its start. */
export interface LiveLine extends PlainInfo {
  n: number;
}

/** The newest lines, for viewers that come later. */
export interface Ring {
  push(line: LiveLine): void;
  /** Lines behind a number, oldest first, and how many of them are not kept any more. */
  after(n: number): { lines: LiveLine[]; lost: number };
  /** All that is kept, oldest first. */
  all(): LiveLine[];
}

export function createRing(size: number): Ring {
  const slots: LiveLine[] = [];
  let next = 0;
  let newest = 0;

  function all(): LiveLine[] {
    return slots.length < size ? [...slots] : [...slots.slice(next), ...slots.slice(0, next)];
  }
  return {
    push(line) {
      newest = line.n;
      if (size === 0) return;
      slots[next] = line;
      next = (next + 1) % size;
    },
    all,
    after(n) {
      const missed = Math.max(0, newest - n);
      const lines = missed === 0 ? [] : all().slice(-missed);
      return { lines, lost: missed - lines.length };
    },
  };
}
