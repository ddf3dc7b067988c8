import { crc32 } from 'node:zlib';
import type { Places } from './parquet-places.ts';
import type { PackedTimeline } from './timeline.ts';

/** Grows when what is in the file changes: a file of another kind is made anew from its sealed lines. */
const MAGIC = 'WVINDEX3';
const HEAD_BYTES = 16;
const SUMS_MAGIC = 'WVSUMS01';
const SUMS_END_BYTES = 16;

/** What is known of one block of sealed lines. */
export interface Block {
  block: number;
  lines: number;
  minSortMs: number;
  maxSortMs: number;
  minOrdinal: number;
  maxOrdinal: number;
  /** Bit i: there are lines of level i. */
  levels: number;
  /** Places of its tables in the file; no bytes: nothing is known of its texts. */
  short: [offset: number, bytes: number];
  long: [offset: number, bytes: number];
  /** True: fields of some line are written in an unusual way, so that nothing is known of values of fields. */
  oddFields: boolean;
}

/** The side file of a file of sealed lines: it says what the blocks cannot contain, and counts by time and level. */
export interface SegmentIndex {
  blocks: Block[];
  timeline: PackedTimeline;
  timelineOffset: number;
  timelineBytes: number;
  /** Places and checksums of the blocks in the sealed file, and where a copy of its tail is; null: they are not known. */
  sealed: { places: Places; tailOffset: number } | null;
}

/**
 * Magic, length of the head, checksum of all that follows, the head as JSON, the tables. Offsets count from the tables. The
 * places of the blocks stand once more at the very end: damage to one part leaves the sums that tell what else is whole.
 */
export function encodeIndex(index: SegmentIndex, data: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(index));
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, 'latin1');
  head.writeUInt32LE(json.length, 8);
  const sums = Buffer.from(JSON.stringify(index.sealed?.places ?? null));
  const end = Buffer.alloc(SUMS_END_BYTES);
  end.writeUInt32LE(crc32(sums), 0);
  end.writeUInt32LE(sums.length, 4);
  end.write(SUMS_MAGIC, 8, 'latin1');
  const rest = Buffer.concat([json, data, sums, end]);
  head.writeUInt32LE(crc32(rest), 12);
  return Buffer.concat([head, rest]);
}

/** Null when it is not such a file, or damaged. */
export function decodeIndex(file: Buffer): { index: SegmentIndex; data: Buffer } | null {
  if (file.length < HEAD_BYTES || file.toString('latin1', 0, 8) !== MAGIC) return null;
  const length = file.readUInt32LE(8);
  if (crc32(file.subarray(HEAD_BYTES)) !== file.readUInt32LE(12)) return null;
  const json = file.subarray(HEAD_BYTES, HEAD_BYTES + length);
  return { index: JSON.parse(json.toString('utf8')) as SegmentIndex, data: file.subarray(HEAD_BYTES + length) };
}

/** What a damaged side file still tells of the places and sums of its blocks. Null: nothing that is sure. */
export function salvagedPlaces(file: Buffer): Places | null {
  if (file.length < SUMS_END_BYTES || file.toString('latin1', file.length - 8) !== SUMS_MAGIC) return null;
  const end = file.length - SUMS_END_BYTES;
  const sums = file.subarray(Math.max(0, end - file.readUInt32LE(end + 4)), end);
  return crc32(sums) === file.readUInt32LE(end) ? (JSON.parse(sums.toString('utf8')) as Places | null) : null;
}
