/**
 * What a filter of a block remembers of its texts. Short: every group of three bytes. Long: of every `WINDOW` groups of
 * `GRAM` bytes that stand one after the other, the one with the smallest hash. A text that contains a needle contains
 * all its groups of three; and each window of the needle is a window of the text too and so has the same smallest
 * hash. Neither can miss a needle, wherever in a word it begins.
 */
const GRAM = 6;
const WINDOW = 6;

/** Sizes of the tables before they are made smaller. Both are powers of two. */
export const SHORT_BITS = 2 ** 16;
export const LONG_BITS = 2 ** 19;

/** The hashes of the last groups; it is of use only inside one call of addText. */
const ring = new Int32Array(8);

export interface GramTables {
  short: Uint8Array;
  long: Uint8Array;
}

export function emptyTables(): GramTables {
  return { short: new Uint8Array(SHORT_BITS / 8), long: new Uint8Array(LONG_BITS / 8) };
}

/** Marks all groups of a text, or of a part of it. Bytes are UTF-8 in lower case, as the database makes it. */
export function addText(bytes: Uint8Array, tables: GramTables, from = 0, to = bytes.length): void {
  const { short, long } = tables;
  let last4 = 0;
  let before = 0;
  let least = 0;
  let leastAt = -1;
  for (let i = 0; i < to - from; i += 1) {
    before = ((before << 8) | (last4 >>> 24)) & 0xffff;
    last4 = (last4 << 8) | bytes[from + i]!;
    if (i < 2) continue;
    const three = mixed(last4 & 0xffffff) & (SHORT_BITS - 1);
    short[three >> 3]! |= 1 << (three & 7);
    if (i < GRAM - 1) continue;
    const hash = mixed(last4 ^ Math.imul(before + 1, 0x2c1b3c6d));
    ring[i & 7] = hash;
    if (hash <= least || leastAt < 0) {
      least = hash;
      leastAt = i;
    } else if (leastAt <= i - WINDOW) {
      least = hash;
      leastAt = i;
      // The latest of equals, as above: what is smallest must not depend on where the text began.
      for (let k = i - 1; k > i - WINDOW; k -= 1) {
        if (ring[k & 7]! < least) {
          least = ring[k & 7]!;
          leastAt = k;
        }
      }
    } else if (i !== GRAM + WINDOW - 2) continue;
    if (i >= GRAM + WINDOW - 2) mark(long, least);
  }
}

/** Bytes that one window covers: what begins before a part that is known, and reaches into it, is no longer than this. */
const REACH = GRAM + WINDOW - 2;
/** Stands between the texts that `addTexts` takes. */
export const SEPARATOR = 0x1e;

/**
 * Marks all groups of `count` texts with a separator between them. Of a text, only what differs from the one before it is
 * looked at, and what reaches into that: the rest is marked already. Lines of one kind stand together, so that is most.
 */
export function addTexts(bytes: Uint8Array, count: number, tables: GramTables): void {
  let texts = 0;
  let previous = 0;
  let previousEnd = 0;
  for (let from = 0; from <= bytes.length; texts += 1) {
    const most = Math.min(bytes.length - from, previousEnd - previous);
    let head = 0;
    while (head < most && bytes[from + head] === bytes[previous + head]) head += 1;
    // What is as in the text before has no separator in it.
    let end = from + head;
    while (end < bytes.length && bytes[end] !== SEPARATOR) end += 1;
    const rest = Math.min(end - from, previousEnd - previous) - head;
    let tail = 0;
    while (tail < rest && bytes[end - 1 - tail] === bytes[previousEnd - 1 - tail]) tail += 1;
    addText(bytes, tables, from + Math.max(0, head - REACH), Math.min(end, end - tail + REACH));
    previous = from;
    previousEnd = end;
    from = end + 1;
  }
  // A text has one inside: a group that goes over a border of two texts is one too many, never one too few.
  if (texts !== count) addText(bytes, tables);
}

/** Marks a whole value of a column among the long groups. */
export function addValue(name: string, value: Uint8Array, { long }: GramTables): void {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 0xff, 0x01000193);
  for (const byte of value) hash = Math.imul(hash ^ byte, 0x01000193);
  mark(long, mixed(hash));
}

function mark(bits: Uint8Array, hash: number): void {
  const at = hash & (LONG_BITS - 1);
  bits[at >> 3]! |= 1 << (at & 7);
}

/** The low bits depend on all bits of the input: a smaller table keeps them. */
function mixed(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b | 0);
  return x ^ (x >>> 16);
}

/** Places of the bits that are set. */
export function placesOf(bits: Uint8Array): number[] {
  const places: number[] = [];
  for (let i = 0; i < bits.length; i += 1)
    for (let rest = bits[i]!; rest !== 0; rest &= rest - 1) places.push(i * 8 + (31 - Math.clz32(rest & -rest)));
  return places;
}

/** Share of a table that is set at most: smaller tables answer "may be there" too often. */
const SHORT_FILLED = 0.2;
const LONG_FILLED = 0.3;

/** The tables as they are kept: no larger than what they hold asks for. */
export const foldedShort = ({ short }: GramTables) => folded(short, SHORT_FILLED);
export const foldedLong = ({ long }: GramTables) => folded(long, LONG_FILLED);

/** The smallest table, by halving, in which at most this share of the bits is set; a bit keeps its low place. */
export function folded(bits: Uint8Array, mostFilled: number): Uint8Array {
  let now = bits.slice();
  while (now.length > 8) {
    const half = now.length / 2;
    const next = new Uint8Array(half);
    for (let i = 0; i < half; i += 1) next[i] = now[i]! | now[i + half]!;
    if (filled(next) > next.length * 8 * mostFilled) break;
    now = next;
  }
  return now;
}

function filled(bits: Uint8Array): number {
  const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.length >> 2);
  let count = 0;
  for (let word of words) {
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}

/** True when all places may be set in a table that was made smaller. */
export function hasAll(bits: Uint8Array, places: readonly number[]): boolean {
  const mask = bits.length * 8 - 1;
  for (const place of places) {
    const at = place & mask;
    if ((bits[at >> 3]! & (1 << (at & 7))) === 0) return false;
  }
  return true;
}
