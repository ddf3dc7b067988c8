import type { Info } from '../line-of-info.ts';

/** One call on its way to Redis. */
export interface WaitingLine {
  level: string;
  tsMs: number;
  /** JSON text of its `PlainInfo`. */
  json: string;
  /** Kept only while somebody listens for `logged`. */
  info: Info | null;
}

/** What was given up of one level. */
export interface Dropped {
  lines: number;
  firstMs: number;
  lastMs: number;
}

/** What waits while Redis is busy or away. Bounded: beyond the caps the oldest go, counted for each level. */
export interface WaitQueue {
  readonly length: number;
  /** Lines given up since the start. */
  readonly droppedTotal: number;
  push(line: WaitingLine): void;
  /** Takes up to so many, oldest first, and what was given up before the first of them. */
  take(limitLines: number, limitChars: number): { lines: WaitingLine[]; dropped: Map<string, Dropped> };
  readonly hasDropped: boolean;
}

export function createWaitQueue(caps: { lines: number; chars: number }): WaitQueue {
  let lines: WaitingLine[] = [];
  let head = 0;
  let chars = 0;
  let dropped = new Map<string, Dropped>();
  let droppedTotal = 0;

  function shift(): WaitingLine {
    const line = lines[head]!;
    head += 1;
    chars -= line.json.length;
    if (head === lines.length || head > caps.lines) {
      lines = lines.slice(head);
      head = 0;
    }
    return line;
  }

  function drop({ level, tsMs }: WaitingLine): void {
    droppedTotal += 1;
    const known = dropped.get(level);
    if (known === undefined) dropped.set(level, { lines: 1, firstMs: tsMs, lastMs: tsMs });
    else {
      known.lines += 1;
      known.lastMs = tsMs;
    }
  }

  return {
    get length() {
      return lines.length - head;
    },
    get droppedTotal() {
      return droppedTotal;
    },
    get hasDropped() {
      return dropped.size > 0;
    },
    push(line) {
      lines.push(line);
      chars += line.json.length;
      while (lines.length - head > caps.lines || (chars > caps.chars && lines.length - head > 1)) drop(shift());
    },
    take(limitLines, limitChars) {
      const taken: WaitingLine[] = [];
      let size = 0;
      while (head < lines.length && taken.length < limitLines && (taken.length === 0 || size < limitChars)) {
        const line = shift();
        size += line.json.length;
        taken.push(line);
      }
      const answer = { lines: taken, dropped };
      dropped = new Map();
      return answer;
    },
  };
}
