import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { STRUCT, type ThriftList, ThriftReader, type ThriftStruct, ThriftWriter } from './thrift-compact.ts';

/**
 * Where the blocks of a sealed file are, and checksums of all its bytes: Parquet itself would show a line with a flipped
 * bit as if it had been logged so. Bytes `starts[i]..starts[i+1]` are row group i, nearly always one block of lines, and
 * from the last of `starts` on come filters and the footer, the tail.
 */
export interface Places {
  bytes: number;
  firstBlock: number;
  /** Of each row group: its lines, and the first and last block that has some of them, from 0 on. */
  lines: number[];
  first: number[];
  last: number[];
  /** One more than there are row groups: the last is where the tail begins. */
  starts: number[];
  /** CRC-32 of each row group, and last that of the tail. */
  sums: number[];
  /** Where the description of each row group is in the tail; one more than there are. */
  groups: number[];
  /** Places in the tail: where the footer begins, and the end of its schema. */
  footer: number;
  schemaEnd: number;
}

const MAGIC = 'PAR1';
const READ_BYTES = 4 * 1024 ** 2;
const GROUPS_AT_ONCE = 8;
const NUM_ROWS = 3;
const ROW_GROUPS = 4;
const INT64 = 6;
const LIST = 9;

/** Looks at a whole file of so many blocks, right after it was written. Null when its footer is not as it should be. */
export async function placesOfFile(
  path: string,
  firstBlock: number,
  blocks: number,
): Promise<{ places: Places; tail: Buffer } | null> {
  const file = await open(path, 'r');
  try {
    const { size: bytes } = await file.stat();
    const end = await bytesAt(file, bytes - 8, 8);
    const footerAt = bytes - 8 - end.readUInt32LE(0);
    const footer = await bytesAt(file, footerAt, bytes - footerAt);
    const known = await readFooter(footer);
    if (known === null) return null;
    const [first, last] = [known.first, known.last].map((all) => all.map((block) => block - firstBlock));
    if (first!.some((block, i) => !(block >= 0 && block <= last![i]! && last![i]! < blocks))) return null;
    const starts = [...known.starts, known.end];
    if (starts.some((start, i) => i > 0 && start <= starts[i - 1]!) || known.end > footerAt) return null;
    const sums: number[] = [];
    for (let i = 0; i + 1 < starts.length; i += 1) sums.push(await sumOf(file, starts[i]!, starts[i + 1]!));
    const tail = await bytesAt(file, known.end, bytes - known.end);
    const shift = footerAt - known.end;
    const places: Places = {
      ...{ bytes, firstBlock, lines: known.lines, first: first!, last: last!, starts, sums: [...sums, crc32(tail)] },
      ...{ groups: known.groups.map((at) => at + shift), footer: shift, schemaEnd: known.schemaEnd + shift },
    };
    return { places, tail };
  } finally {
    await file.close();
  }
}

/** True when all bytes of a file are as they were. */
export async function isAsWritten(path: string, { bytes, starts, sums }: Places): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null);
  try {
    if (file === null || (await file.stat()).size !== bytes) return false;
    const ends = [...starts.slice(1), bytes];
    for (const [i, end] of ends.entries()) if ((await sumOf(file, starts[i]!, end)) !== sums[i]) return false;
    return true;
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}

/** Checksum of some bytes of a file; those behind its end count as not there. */
export async function sumOf(file: FileHandle, from: number, to: number): Promise<number> {
  let sum = 0;
  for (let at = from; at < to; at += READ_BYTES)
    sum = crc32(await bytesAt(file, at, Math.min(READ_BYTES, to - at)), sum);
  return sum;
}

export async function bytesAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, bytes));
  let read = 0;
  while (read < buffer.length) {
    const { bytesRead } = await file.read(buffer, read, buffer.length - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

/** `starts` and `end` are places in the file, the others in the footer. */
async function readFooter(footer: Buffer) {
  const groups: number[] = [];
  const starts: number[] = [];
  const lines: number[] = [];
  const first: number[] = [];
  const last: number[] = [];
  let end = 0;
  let schemaEnd = 0;
  try {
    const reader = new ThriftReader(footer);
    for (let id = 0; ; ) {
      const before = reader.at;
      const field = reader.field(id);
      if (field === null || field.id > ROW_GROUPS) return null;
      id = field.id;
      if (field.id === NUM_ROWS) schemaEnd = before;
      if (field.id < ROW_GROUPS) reader.value(field.type);
      else break;
    }
    const { count } = reader.list();
    for (let i = 0; i < count; i += 1) {
      // Somebody may wait for a line meanwhile.
      if (i % GROUPS_AT_ONCE === 0) await setImmediate();
      groups.push(reader.at);
      const group = reader.struct();
      const [from, to] = spanOf(group);
      starts.push(from);
      end = to;
      lines.push(number(group, 3));
      const [least, most] = blocksOf(group);
      first.push(least);
      last.push(most);
    }
    groups.push(reader.at);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return { groups, starts, lines, first, last, end, schemaEnd };
}

/** The row groups that have lines of blocks. */
export function groupsWith({ first, last }: Places, blocks: readonly number[]): number[] {
  return [...first.keys()].filter((group) => blocks.some((block) => first[group]! <= block && block <= last[group]!));
}

/** The footer of a file that has only some of the row groups of another. */
export function excerptFooter(tail: Buffer, places: Places, groups: readonly number[]): Buffer {
  const writer = new ThriftWriter();
  writer.raw(tail.subarray(places.footer, places.schemaEnd));
  writer.field(NUM_ROWS, NUM_ROWS - 1, INT64);
  writer.signed(groups.reduce((sum, group) => sum + places.lines[group]!, 0));
  writer.field(ROW_GROUPS, ROW_GROUPS - 1, LIST);
  writer.list(STRUCT, groups.length);
  let at = MAGIC.length;
  for (const group of groups) {
    const described = new ThriftReader(tail, places.groups[group]!).struct();
    writer.struct(moved(described, at - places.starts[group]!));
    at += places.starts[group + 1]! - places.starts[group]!;
  }
  writer.raw(tail.subarray(places.groups.at(-1)!, tail.length - 8));
  const footer = writer.take();
  const end = Buffer.alloc(8);
  end.writeUInt32LE(footer.length, 0);
  end.write(MAGIC, 4, 'latin1');
  return Buffer.concat([footer, end]);
}

const COLUMNS = 1;
const GROUP_OFFSET = 5;
const CHUNK_OFFSET = 2;
const CHUNK_META = 3;
const PATH = 3;
const TOTAL_COMPRESSED = 7;
const DATA_PAGE = 9;
const INDEX_PAGE = 10;
const DICTIONARY_PAGE = 11;
const STATISTICS = 12;
const MAX_VALUE = 5;
const MIN_VALUE = 6;
const BLOOM_OFFSET = 14;
const BLOOM_LENGTH = 15;

const columnsOf = (group: ThriftStruct) => (field(group, COLUMNS) as ThriftList).items as ThriftStruct[];
const field = (struct: ThriftStruct, id: number) => struct.find((one) => one.id === id)?.value;

function number(struct: ThriftStruct, id: number): number {
  const value = field(struct, id);
  if (typeof value !== 'number') throw new RangeError('a number is missing');
  return value;
}

/** The bytes of a row group: its columns stand one after another. */
function spanOf(group: ThriftStruct): [from: number, to: number] {
  let from = Infinity;
  let to = 0;
  for (const chunk of columnsOf(group)) {
    const meta = field(chunk, CHUNK_META) as ThriftStruct;
    const pages = [DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE].map((id) => field(meta, id));
    const first = Math.min(...pages.filter((at) => typeof at === 'number' && at > 0).map(Number));
    from = Math.min(from, first);
    to = Math.max(to, first + number(meta, TOTAL_COMPRESSED));
  }
  return [from, to];
}

/** The least and the greatest block of a row group: the statistics of the column that has their numbers. */
function blocksOf(group: ThriftStruct): [least: number, most: number] {
  const metas = columnsOf(group).map((chunk) => field(chunk, CHUNK_META) as ThriftStruct);
  const meta = metas.find((one) => String((field(one, PATH) as ThriftList).items[0]) === 'block');
  const statistics = meta === undefined ? undefined : (field(meta, STATISTICS) as ThriftStruct | undefined);
  const [most, least] = [MAX_VALUE, MIN_VALUE].map((id) => statistics && field(statistics, id));
  if (!Buffer.isBuffer(most) || !Buffer.isBuffer(least)) throw new RangeError('the blocks of a row group are not told');
  return [Number(least.readBigInt64LE()), Number(most.readBigInt64LE())];
}

/** A row group that is so many bytes further on. What lies outside of it, its Bloom filters and page indexes, stays behind. */
function moved(group: ThriftStruct, by: number): ThriftStruct {
  const shift = (struct: ThriftStruct, ids: readonly number[]) =>
    struct.map((one) =>
      ids.includes(one.id) && Number(one.value) > 0 ? { ...one, value: Number(one.value) + by } : one,
    );
  const columns = columnsOf(group).map((chunk) =>
    shift(chunk, [CHUNK_OFFSET])
      .filter(({ id }) => id <= CHUNK_META)
      .map((one) => {
        if (one.id !== CHUNK_META) return one;
        const meta = (one.value as ThriftStruct).filter(({ id }) => id !== BLOOM_OFFSET && id !== BLOOM_LENGTH);
        return { ...one, value: shift(meta, [DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE]) };
      }),
  );
  return shift(group, [GROUP_OFFSET]).map((one) =>
    one.id === COLUMNS ? { ...one, value: { type: STRUCT, items: columns } } : one,
  );
}
