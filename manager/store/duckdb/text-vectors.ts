import duckdb, { type Vector } from '@duckdb/node-bindings';
import { type Dictionary, valueAt } from '../../../common/wire/frames.ts';

/** A text in a vector is 16 bytes: its length, and its bytes where they fit behind that; else four of them and where it is. */
const SLOT_WORDS = 4;
const SLOT_BYTES = 16;
const LIMIT_INLINE_BYTES = 12;
const TWO_32 = 4_294_967_296;
/** Stands between texts that are handed over as one: two halves of a surrogate pair must not meet. */
const BETWEEN = '\n';

/**
 * Fills text vectors. A call into the database for each text costs more than the text: values of a dictionary are handed
 * over once each, all others as one long text, and every row is then a place in it. Texts are valid UTF-8 then, half a
 * surrogate pair is the replacement character, and a NUL is kept.
 */
export class TextVectors {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #valid: Uint8Array<ArrayBuffer>;
  #anyAbsent = false;

  /** `capacity`: most rows of a vector. */
  constructor(capacity: number) {
    this.#words = new Int32Array(capacity * SLOT_WORDS);
    this.#valid = new Uint8Array(Math.ceil(capacity / 64) * 8);
  }

  /** Rows `from` to `from + count` of a dictionary column. */
  dictionary(vector: Vector, dictionary: Dictionary, from: number, count: number): void {
    const { values, index } = dictionary;
    if (index === undefined || values.length > count) {
      const rows = Array.from({ length: count }, (_, i) => valueAt(dictionary, from + i) ?? null);
      this.texts(vector, rows);
      return;
    }
    for (const [i, value] of values.entries()) duckdb.vector_assign_string_element(vector, i, value);
    const known = readSlots(vector, values.length);
    const words = this.#words;
    for (let i = 0; i < count; i += 1) {
      const at = index[from + i]!;
      if (at < 0) {
        this.#absent(i);
        continue;
      }
      for (let k = 0; k < SLOT_WORDS; k += 1) words[i * SLOT_WORDS + k] = known[at * SLOT_WORDS + k]!;
    }
    this.#write(vector, count);
  }

  /** One text for each row; null: the row has none. */
  texts(vector: Vector, texts: readonly (string | null)[]): void {
    const joined = texts.join(BETWEEN);
    const bytes = Buffer.from(joined);
    // Shorter ones are in the slot itself: there is no place to point to.
    if (bytes.length <= LIMIT_INLINE_BYTES) {
      this.#short(vector, texts);
      return;
    }
    duckdb.vector_assign_string_element_len(vector, 0, bytes);
    const [, , low, high] = readSlots(vector, 1);
    const oneByteEach = bytes.length === joined.length;
    const words = this.#words;
    let offset = 0;
    for (let i = 0; i < texts.length; i += 1) {
      const text = texts[i]!;
      if (text === null) {
        this.#absent(i);
        offset += 1;
        continue;
      }
      const length = oneByteEach ? text.length : Buffer.byteLength(text);
      const at = i * SLOT_WORDS;
      words[at] = length;
      words[at + 1] = wordAt(bytes, offset, length);
      if (length <= LIMIT_INLINE_BYTES) {
        words[at + 2] = wordAt(bytes, offset + 4, length - 4);
        words[at + 3] = wordAt(bytes, offset + 8, length - 8);
      } else {
        const place = (low! >>> 0) + offset;
        words[at + 2] = place | 0;
        words[at + 3] = high! + (place >= TWO_32 ? 1 : 0);
      }
      offset += length + 1;
    }
    this.#write(vector, texts.length);
  }

  #short(vector: Vector, texts: readonly (string | null)[]): void {
    for (const [i, text] of texts.entries()) {
      if (text === null) this.#absent(i);
      else duckdb.vector_assign_string_element(vector, i, text);
    }
    this.#writeValidity(vector, texts.length);
  }

  #absent(row: number): void {
    if (!this.#anyAbsent) this.#valid.fill(0xff);
    this.#anyAbsent = true;
    this.#valid[row >> 3]! &= ~(1 << (row & 7));
    this.#words.fill(0, row * SLOT_WORDS, (row + 1) * SLOT_WORDS);
  }

  #write(vector: Vector, count: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#words.buffer, 0, count * SLOT_BYTES);
    this.#writeValidity(vector, count);
  }

  #writeValidity(vector: Vector, count: number): void {
    if (!this.#anyAbsent) return;
    this.#anyAbsent = false;
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, this.#valid.buffer, 0, Math.ceil(count / 64) * 8);
  }
}

/** The first slots of a vector, as the database wrote them. */
function readSlots(vector: Vector, count: number): Int32Array {
  const bytes = Uint8Array.from(duckdb.vector_get_data(vector, count * SLOT_BYTES));
  return new Int32Array(bytes.buffer);
}

/** Up to four bytes as a number, the rest is zero. */
function wordAt(bytes: Buffer, at: number, length: number): number {
  if (length >= 4) return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  let word = 0;
  for (let i = 0; i < length; i += 1) word |= bytes[at + i]! << (8 * i);
  return word;
}
