import type { Line } from '../../common/model/line.ts';

/** A line on its way to viewers, shared by all of them. `bytes` is about its size on the wire. */
export interface Entry {
  line: Line;
  /** Arrival number. */
  ordinal: number;
  bytes: number;
  /** Another manager committed it: `ordinal` is where our own store was when it came. */
  isPeers?: boolean;
  /** The number that the other manager gave it. */
  peerOrdinal?: number;
}

export function entryOf(line: Line, ordinal: number): Entry {
  const fields = line.fields === undefined ? 0 : JSON.stringify(line.fields).length;
  return { line, ordinal, bytes: line.message.length + fields + 220 };
}

/** What one viewer has still to get. Bounded: beyond the caps the oldest go, and are counted. */
export interface TailQueue {
  readonly length: number;
  readonly bytes: number;
  /** Arrival number of the oldest; only while there is one. */
  readonly firstOrdinal: number;
  push(entry: Entry): void;
  /** Takes up to so many lines, oldest first, and how many were dropped before the first of them. */
  take(limitLines: number, limitBytes: number): { entries: Entry[]; skipped: number };
  /** Keeps only what the test accepts; what it refuses is not counted as dropped. */
  keep(test: (entry: Entry) => boolean): void;
  readonly skipped: number;
  /** So many lines never came here; they count as dropped. */
  skip(lines: number): void;
}

export function createTailQueue(caps: { lines: number; bytes: number }): TailQueue {
  let entries: Entry[] = [];
  let head = 0;
  let bytes = 0;
  let skipped = 0;

  function shift(): Entry {
    const entry = entries[head]!;
    head += 1;
    bytes -= entry.bytes;
    // The dead front is cut off now and then: shifting an array one by one is slow, keeping it holds lines in memory.
    if (head >= caps.lines || head === entries.length) {
      entries = entries.slice(head);
      head = 0;
    }
    return entry;
  }

  return {
    get length() {
      return entries.length - head;
    },
    get bytes() {
      return bytes;
    },
    get firstOrdinal() {
      return entries[head]!.ordinal;
    },
    get skipped() {
      return skipped;
    },
    skip(lines) {
      skipped += lines;
    },
    push(entry) {
      entries.push(entry);
      bytes += entry.bytes;
      // One line that is larger than the cap is still shown: alone.
      while (entries.length - head > caps.lines || (bytes > caps.bytes && entries.length - head > 1)) {
        shift();
        skipped += 1;
      }
    },
    take(limitLines, limitBytes) {
      const taken: Entry[] = [];
      let size = 0;
      while (head < entries.length && taken.length < limitLines && (taken.length === 0 || size < limitBytes)) {
        const entry = shift();
        size += entry.bytes;
        taken.push(entry);
      }
      const answer = { entries: taken, skipped };
      skipped = 0;
      return answer;
    },
    keep(test) {
      entries = entries.slice(head).filter(test);
      head = 0;
      bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    },
  };
}
