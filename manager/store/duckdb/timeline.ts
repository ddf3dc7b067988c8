import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { LEVELS } from '../../../common/model/line.ts';

/** Entries of one packed piece: what must be unpacked to know the counts at one moment. */
const PIECE_ENTRIES = 4_096;

/** Lines by level. Index: that of LEVELS. */
export type LevelCounts = [number, number, number, number];

interface Piece {
  /** Time of its first entry, and the lines before it. */
  fromMs: number;
  before: LevelCounts;
  offset: number;
  bytes: number;
}

/** How many lines of each level there are at each millisecond of one file, packed: any range of time is counted exactly. */
export interface PackedTimeline {
  pieces: Piece[];
  total: LevelCounts;
}

/** Takes entries in order of time. */
export class TimelineBuilder {
  readonly #pieces: Piece[] = [];
  readonly #packed: Buffer[] = [];
  readonly #total: LevelCounts = [0, 0, 0, 0];
  #bytes: number[] = [];
  #entries = 0;
  #lastMs = 0;
  #offset = 0;

  add(ms: number, level: number, count: number): void {
    if (this.#entries === 0) {
      this.#pieces.push({ fromMs: ms, before: [...this.#total], offset: this.#offset, bytes: 0 });
      this.#lastMs = ms;
    }
    this.#number((ms - this.#lastMs) * LEVELS.length + level);
    this.#number(count);
    this.#lastMs = ms;
    this.#total[level]! += count;
    this.#entries += 1;
    if (this.#entries === PIECE_ENTRIES) this.#pack();
  }

  take(): { timeline: PackedTimeline; data: Buffer } {
    if (this.#entries > 0) this.#pack();
    return { timeline: { pieces: this.#pieces, total: this.#total }, data: Buffer.concat(this.#packed) };
  }

  #number(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes.push((rest % 128) | 128);
    this.#bytes.push(rest);
  }

  #pack(): void {
    const packed = deflateRawSync(Uint8Array.from(this.#bytes));
    this.#pieces.at(-1)!.bytes = packed.length;
    this.#packed.push(packed);
    this.#offset += packed.length;
    this.#bytes = [];
    this.#entries = 0;
  }
}

/** Lines before each of the given times, which ascend. `data` is what the builder made. */
export function countsBefore({ pieces, total }: PackedTimeline, data: Buffer, times: readonly number[]): LevelCounts[] {
  let unpacked: { piece: Piece; entries: Generator<[number, number, number]>; next: Entry | undefined } | null = null;
  const counts: LevelCounts = [0, 0, 0, 0];
  let at = 0;
  return times.map((ms) => {
    while (at + 1 < pieces.length && pieces[at + 1]!.fromMs < ms) at += 1;
    const piece = pieces[at];
    if (piece === undefined || ms <= piece.fromMs)
      return [0, 0, 0, 0].map((_, i) => piece?.before[i] ?? 0) as LevelCounts;
    if (ms === Infinity) return [...total];
    if (unpacked?.piece !== piece) {
      const entries = entriesOf(data.subarray(piece.offset, piece.offset + piece.bytes), piece.fromMs);
      unpacked = { piece, entries, next: entries.next().value as Entry | undefined };
      for (let i = 0; i < counts.length; i += 1) counts[i] = piece.before[i]!;
    }
    while (unpacked.next !== undefined && unpacked.next[0] < ms) {
      counts[unpacked.next[1]]! += unpacked.next[2];
      unpacked.next = unpacked.entries.next().value as Entry | undefined;
    }
    return [...counts] as LevelCounts;
  });
}

type Entry = [ms: number, level: number, count: number];

function* entriesOf(packed: Buffer, fromMs: number): Generator<Entry> {
  const bytes = inflateRawSync(packed);
  let i = 0;
  const number = () => {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = bytes[i]!;
      i += 1;
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  let ms = fromMs;
  while (i < bytes.length) {
    const both = number();
    ms += Math.floor(both / LEVELS.length);
    yield [ms, both % LEVELS.length, number()];
  }
}
