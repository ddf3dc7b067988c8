import { BIGINT, type DuckDBConnection, type DuckDBType, INTEGER, UINTEGER, UTINYINT, VARCHAR } from '@duckdb/node-api';
import duckdb, { type Value } from '@duckdb/node-bindings';
import type { Dictionary, LineColumns } from '../../../common/wire/frames.ts';
import { columnsOf, sortMsOf, storableJson, storedMs } from '../line-columns.ts';
import type { LineBatch } from '../ports.ts';
import { levelCode, sourceCode } from './schema.ts';
import { TextVectors } from './text-vectors.ts';

/** Order of the columns of table `lines`. */
const TYPES: readonly DuckDBType[] = [
  ...Array<DuckDBType>(5).fill(BIGINT),
  UTINYINT,
  UTINYINT,
  INTEGER,
  UINTEGER,
  ...Array<DuckDBType>(6).fill(VARCHAR),
];
const AT = {
  ordinal: 0,
  sortMs: 1,
  tsMs: 2,
  receivedMs: 3,
  seq: 4,
  level: 5,
  source: 6,
  origin: 7,
  kind: 8,
  unit: 9,
  instance: 10,
  job: 11,
  session: 12,
  message: 13,
  fields: 14,
} as const;
const TWO_32 = 4_294_967_296;
const NULL_VALUE = duckdb.create_null_value();
/** How much of a message says of what kind it is. */
const KIND_CHARACTERS = 20;

/**
 * Writes batches as data chunks, straight from columns to vectors. What is the same in every row (the origin, most
 * dictionaries) is set once per chunk: row by row the same work takes three times as long.
 */
export class LineChunks {
  readonly #capacity = duckdb.vector_size();
  readonly #chunk = duckdb.create_data_chunk(TYPES.map((type) => type.toLogicalType().logical_type));
  readonly #longs = new Int32Array(this.#capacity * 2);
  readonly #bytes = new Uint8Array(this.#capacity);
  readonly #kinds = new Int32Array(this.#capacity);
  readonly #texts = new TextVectors(this.#capacity);

  /**
   * Appends all batches inside the connection's transaction. `ordinal` is the arrival number of the first line, `origins`
   * are those of the batches.
   */
  async append(
    connection: DuckDBConnection,
    batches: readonly LineBatch[],
    ordinal: number,
    origins: readonly number[],
  ): Promise<void> {
    const appender = await connection.createAppender('lines');
    try {
      let next = ordinal;
      for (const [i, batch] of batches.entries()) {
        const columns = columnsOf(batch);
        for (let from = 0; from < columns.n; from += this.#capacity) {
          const count = Math.min(this.#capacity, columns.n - from);
          this.#fill(batch, columns, from, count, next, origins[i]!);
          appender.appendDataChunk({ chunk: this.#chunk } as Parameters<typeof appender.appendDataChunk>[0]);
          next += count;
        }
      }
      appender.closeSync();
    } catch (error) {
      // An appender that is thrown away flushes what it holds, into whatever transaction comes next.
      appender.clear();
      throw error;
    }
  }

  #fill(batch: LineBatch, columns: LineColumns, from: number, count: number, ordinal: number, origin: number): void {
    duckdb.data_chunk_reset(this.#chunk);
    duckdb.data_chunk_set_size(this.#chunk, count);
    const received = storedMs(batch.receivedMs);
    const time = (i: number) => storedMs(columns.tsMs[from + i] ?? received);
    this.#long(AT.ordinal, count, (i) => ordinal + i);
    this.#long(AT.sortMs, count, (i) => sortMsOf(time(i), batch));
    this.#long(AT.tsMs, count, time);
    this.#value(AT.receivedMs, duckdb.create_int64(BigInt(received)));
    this.#long(AT.seq, count, (i) => batch.first + from + i);
    this.#code(AT.level, columns.level, from, count, levelCode);
    this.#code(AT.source, columns.source, from, count, sourceCode);
    this.#value(AT.origin, duckdb.create_int32(origin));
    this.#dictionary(AT.unit, columns.unit, from, count);
    this.#dictionary(AT.instance, columns.instance, from, count);
    this.#dictionary(AT.job, columns.job, from, count);
    this.#dictionary(AT.session, columns.session, from, count);
    const messages = columns.message.slice(from, from + count);
    for (let i = 0; i < count; i += 1) this.#kinds[i] = kindOf(messages[i]!);
    duckdb.copy_data_to_vector(this.#vector(AT.kind), 0, this.#kinds.buffer, 0, count * 4);
    this.#texts.texts(this.#vector(AT.message), messages);
    if (columns.fields === undefined) this.#same(AT.fields, null, count);
    else this.#texts.texts(this.#vector(AT.fields), columns.fields.slice(from, from + count).map(storableJson));
  }

  #vector(at: number): ReturnType<typeof duckdb.data_chunk_get_vector> {
    return duckdb.data_chunk_get_vector(this.#chunk, at);
  }

  /** 64-bit numbers by their two halves: making a BigInt of each would be most of the time. */
  #long(at: number, count: number, value: (i: number) => number): void {
    const longs = this.#longs;
    for (let i = 0; i < count; i += 1) {
      const v = value(i);
      longs[2 * i] = v | 0;
      longs[2 * i + 1] = Math.floor(v / TWO_32);
    }
    duckdb.copy_data_to_vector(this.#vector(at), 0, longs.buffer, 0, count * 8);
  }

  #code(at: number, dictionary: Dictionary, from: number, count: number, code: (text: string) => number): void {
    const codes = dictionary.values.map(code);
    const bytes = this.#bytes;
    for (let i = 0; i < count; i += 1) bytes[i] = codes[dictionary.index?.[from + i] ?? 0] ?? 0;
    duckdb.copy_data_to_vector(this.#vector(at), 0, bytes.buffer, 0, count);
  }

  #value(at: number, value: Value): void {
    duckdb.vector_reference_value(this.#vector(at), value);
  }

  #same(at: number, value: string | null, count: number): void {
    if (value === null) this.#value(at, NULL_VALUE);
    // A value of its own would be cut at a NUL; the assignment into a vector is not.
    else if (value.includes('\0')) this.#texts.texts(this.#vector(at), Array<string>(count).fill(value));
    else this.#value(at, duckdb.create_varchar(value));
  }

  #dictionary(at: number, dictionary: Dictionary, from: number, count: number): void {
    if (dictionary.index === undefined) this.#same(at, dictionary.values[0] ?? null, count);
    else this.#texts.dictionary(this.#vector(at), dictionary, from, count);
  }
}

/**
 * Lines of one kind are sealed side by side: a hash of how a message begins, numbers left out. It says nothing else and
 * is not kept.
 */
export function kindOf(message: string): number {
  const end = Math.min(message.length, KIND_CHARACTERS);
  let hash = 0x811c9dc5;
  for (let i = 0; i < end; i += 1) {
    const code = message.charCodeAt(i);
    if (code < 48 || code > 57) hash = Math.imul(hash ^ code, 0x01000193);
  }
  return hash;
}
