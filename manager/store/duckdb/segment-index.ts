import { crc32 } from 'node:zlib';
import type { PackedTimeline } from './timeline.ts';

/** Grows when what is in the file changes: a file of another kind is made anew from its sealed lines. */
const MAGIC = 'WVINDEX1';
const HEAD_BYTES = 16;

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
}

/** The side file of a file of sealed lines: it says what the blocks cannot contain, and counts by time and level. */
export interface SegmentIndex {
  blocks: Block[];
  timeline: PackedTimeline;
  timelineOffset: number;
  timelineBytes: number;
}

/** Magic, length of the head, checksum of all that follows, the head as JSON, the tables. Offsets count from the tables. */
export function encodeIndex(index: SegmentIndex, data: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(index));
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, 'latin1');
  head.writeUInt32LE(json.length, 8);
  head.writeUInt32LE(crc32(data, crc32(json)), 12);
  return Buffer.concat([head, json, data]);
}

/** Null when it is not such a file, or damaged. */
export function decodeIndex(file: Buffer): { index: SegmentIndex; data: Buffer } | null {
  if (file.length < HEAD_BYTES || file.toString('latin1', 0, 8) !== MAGIC) return null;
  const length = file.readUInt32LE(8);
  if (crc32(file.subarray(HEAD_BYTES)) !== file.readUInt32LE(12)) return null;
  const json = file.subarray(HEAD_BYTES, HEAD_BYTES + length);
  return { index: JSON.parse(json.toString('utf8')) as SegmentIndex, data: file.subarray(HEAD_BYTES + length) };
}
