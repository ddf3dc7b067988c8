import { BIGINT, type DuckDBConnection, type DuckDBType, UTINYINT, VARCHAR } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { type Dictionary, type LineColumns, valueAt } from '../../../common/wire/frames.ts';
import { columnsOf, sortMsOf, storableJson, storedMs } from '../line-columns.ts';
import type { LineBatch } from '../ports.ts';
import { levelCode, sourceCode } from './schema.ts';

/** Order of the columns of table `lines`. */
const TYPES: readonly DuckDBType[] = [
  ...Array<DuckDBType>(5).fill(BIGINT),
  UTINYINT,
  UTINYINT,
  ...Array<DuckDBType>(10).fill(VARCHAR),
];
const AT = {
  ordinal: 0,
  sortMs: 1,
  tsMs: 2,
  receivedMs: 3,
  seq: 4,
  level: 5,
  source: 6,
  agent: 7,
  epoch: 8,
  host: 9,
  hostName: 10,
  unit: 11,
  instance: 12,
  job: 13,
  session: 14,
  message: 15,
  fields: 16,
} as const;
const TWO_32 = 4_294_967_296;
const NULL_VALUE = duckdb.create_null_value();

/**
 * Writes batches as data chunks, straight from columns to vectors. What is the same in every row (agent, epoch, host,
 * most dictionaries) is set once per chunk: row by row the same work takes three times as long.
 */
export class LineChunks {
  readonly #capacity = duckdb.vector_size();
  readonly #chunk = duckdb.create_data_chunk(TYPES.map((type) => type.toLogicalType().logical_type));
  readonly #longs = new Int32Array(this.#capacity * 2);
  readonly #bytes = new Uint8Array(this.#capacity);
  readonly #valid = new Uint8Array(Math.ceil(this.#capacity / 64) * 8);

  /** Appends all batches inside the connection's transaction. `ordinal` is the arrival number of the first line. */
  async append(connection: DuckDBConnection, batches: readonly LineBatch[], ordinal: number): Promise<void> {
    const appender = await connection.createAppender('lines');
    try {
      let next = ordinal;
      for (const batch of batches) {
        const columns = columnsOf(batch);
        for (let from = 0; from < columns.n; from += this.#capacity) {
          const count = Math.min(this.#capacity, columns.n - from);
          this.#fill(batch, columns, from, count, next);
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

  #fill(batch: LineBatch, columns: LineColumns, from: number, count: number, ordinal: number): void {
    duckdb.data_chunk_reset(this.#chunk);
    duckdb.data_chunk_set_size(this.#chunk, count);
    const received = storedMs(batch.receivedMs);
    const time = (i: number) => storedMs(columns.tsMs[from + i] ?? received);
    this.#long(AT.ordinal, count, (i) => ordinal + i);
    this.#long(AT.sortMs, count, (i) => sortMsOf(time(i), batch));
    this.#long(AT.tsMs, count, time);
    this.#long(AT.receivedMs, count, () => received);
    this.#long(AT.seq, count, (i) => batch.first + from + i);
    this.#code(AT.level, columns.level, from, count, levelCode);
    this.#code(AT.source, columns.source, from, count, sourceCode);
    this.#same(AT.agent, batch.agent, count);
    this.#same(AT.epoch, batch.epoch, count);
    this.#same(AT.host, batch.host, count);
    this.#same(AT.hostName, batch.hostName, count);
    this.#dictionary(AT.unit, columns.unit, from, count);
    this.#dictionary(AT.instance, columns.instance, from, count);
    this.#dictionary(AT.job, columns.job, from, count);
    this.#dictionary(AT.session, columns.session, from, count);
    this.#texts(AT.message, count, (i) => columns.message[from + i] ?? '');
    const { fields } = columns;
    if (fields === undefined) this.#same(AT.fields, null, count);
    else this.#texts(AT.fields, count, (i) => storableJson(fields[from + i] ?? null));
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

  #same(at: number, value: string | null, count: number): void {
    if (value === null) duckdb.vector_reference_value(this.#vector(at), NULL_VALUE);
    // A value of its own would be cut at a NUL; the assignment into a vector is not.
    else if (value.includes('\0')) this.#texts(at, count, () => value);
    else duckdb.vector_reference_value(this.#vector(at), duckdb.create_varchar(value));
  }

  #dictionary(at: number, dictionary: Dictionary, from: number, count: number): void {
    if (dictionary.index === undefined) this.#same(at, dictionary.values[0] ?? null, count);
    else this.#texts(at, count, (i) => valueAt(dictionary, from + i) ?? null);
  }

  #texts(at: number, count: number, text: (i: number) => string | null): void {
    const vector = this.#vector(at);
    const valid = this.#valid;
    let absent = false;
    for (let i = 0; i < count; i += 1) {
      const value = text(i);
      if (value !== null) duckdb.vector_assign_string_element(vector, i, value);
      else {
        if (!absent) valid.fill(0xff);
        absent = true;
        valid[i >> 3]! &= ~(1 << (i & 7));
      }
    }
    if (!absent) return;
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, Math.ceil(count / 64) * 8);
  }
}
