/** Thrift's compact protocol, as far as the footer of a Parquet file uses it. */
export type ThriftValue = number | boolean | Buffer | ThriftList | ThriftStruct;

export interface ThriftList {
  type: number;
  items: ThriftValue[];
}

/** Fields in the order in which they stand. */
export type ThriftStruct = { id: number; type: number; value: ThriftValue }[];

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const INT16 = 4;
const INT64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
export const STRUCT = 12;

/** Reads values one after another. Throws `RangeError` on bytes that are no such values. */
export class ThriftReader {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Type and number of the next field; null at the end of the struct. */
  field(last: number): { id: number; type: number } | null {
    const head = this.#byte();
    if (head === 0) return null;
    const id = head >> 4 === 0 ? this.#signed() : last + (head >> 4);
    return { id, type: head & 15 };
  }

  list(): { type: number; count: number } {
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#unsigned() : head >> 4;
    // One item takes a byte at least: a count beyond that is damage, and would only take memory.
    if (count > this.#bytes.length - this.at) throw new RangeError('a list longer than its bytes');
    return { type: head & 15, count };
  }

  value(type: number): ThriftValue {
    if (type === TRUE) return true;
    if (type === FALSE) return false;
    if (type === BYTE) return this.#byte();
    if (type >= INT16 && type <= INT64) return this.#signed();
    if (type === DOUBLE) return this.#take(8);
    if (type === BINARY) return this.#take(this.#unsigned());
    if (type === STRUCT) return this.struct();
    if (type !== LIST && type !== SET) throw new RangeError(`a value of an unknown type ${type}`);
    const { type: of, count } = this.list();
    const items: ThriftValue[] = [];
    // Booleans of a list take a byte each.
    for (let i = 0; i < count; i += 1) items.push(this.value(of <= FALSE ? BYTE : of));
    return { type: of, items };
  }

  struct(): ThriftStruct {
    const fields: ThriftStruct = [];
    for (let last = 0; ; ) {
      const field = this.field(last);
      if (field === null) return fields;
      fields.push({ ...field, value: this.value(field.type) });
      last = field.id;
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new RangeError('the bytes end early');
    this.at += 1;
    return byte;
  }

  #unsigned(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * unit;
      if (!Number.isSafeInteger(value)) throw new RangeError('a number that is too large');
      if (byte < 128) return value;
    }
  }

  #signed(): number {
    const value = this.#unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #take(bytes: number): Buffer {
    if (bytes > this.#bytes.length - this.at) throw new RangeError('the bytes end early');
    this.at += bytes;
    return this.#bytes.subarray(this.at - bytes, this.at);
  }
}

export class ThriftWriter {
  readonly #parts: Buffer[] = [];
  #bytes: number[] = [];

  take(): Buffer {
    this.#flush();
    return Buffer.concat(this.#parts);
  }

  raw(bytes: Buffer): void {
    this.#flush();
    this.#parts.push(bytes);
  }

  field(id: number, last: number, type: number): void {
    if (id > last && id - last < 16) this.#bytes.push(((id - last) << 4) | type);
    else {
      this.#bytes.push(type);
      this.signed(id);
    }
  }

  list(type: number, count: number): void {
    if (count < 15) this.#bytes.push((count << 4) | type);
    else {
      this.#bytes.push(0xf0 | type);
      this.#unsigned(count);
    }
  }

  signed(value: number): void {
    this.#unsigned(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  struct(fields: ThriftStruct): void {
    let last = 0;
    for (const { id, type, value } of fields) {
      this.field(id, last, type);
      this.#value(type, value);
      last = id;
    }
    this.#bytes.push(0);
  }

  #value(type: number, value: ThriftValue): void {
    if (type === TRUE || type === FALSE) return;
    if (type === BYTE) this.#bytes.push(value as number);
    else if (type >= INT16 && type <= INT64) this.signed(value as number);
    else if (type === STRUCT) this.struct(value as ThriftStruct);
    else if (type === LIST || type === SET) {
      const { type: of, items } = value as ThriftList;
      this.list(of, items.length);
      for (const item of items) this.#value(of <= FALSE ? BYTE : of, item);
    } else {
      const bytes = value as Buffer;
      if (type === BINARY) this.#unsigned(bytes.length);
      this.raw(bytes);
    }
  }

  #unsigned(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes.push((rest % 128) | 128);
    this.#bytes.push(rest);
  }

  #flush(): void {
    if (this.#bytes.length > 0) this.#parts.push(Buffer.from(this.#bytes));
    this.#bytes = [];
  }
}
