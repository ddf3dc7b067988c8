import type { FileHandle } from 'node:fs/promises';
import { BACK_BYTES } from './line-cutter.ts';
import { fingerprint, type Position, readAt } from './position.ts';

const CHUNK_BYTES = 256 * 1024;
const TURN_CHUNKS = 16;
/** So far behind the goal the end of a line is looked for. */
const SEARCH_BYTES = 1024 * 1024;

/** A stretch of a file that is passed over; `at` is how far. */
export interface Skip {
  from: number;
  to: number;
  at: number;
  lines: number;
}
export type SkippedTo = Pick<Position, 'offset' | 'skipping' | 'back' | 'backBytes'>;

/**
 * Passes over a file up to the first line that begins at `to` or later, and counts the lines: a bounded piece with each
 * call. Returns the place behind it once it is there, null before.
 */
export async function skipSome(file: FileHandle, skip: Skip): Promise<SkippedTo | null> {
  for (let chunks = 0; chunks < TURN_CHUNKS; chunks += 1) {
    const bytes = await readAt(file, skip.at, CHUNK_BYTES);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, end + 1)) {
      skip.lines += 1;
      if (skip.at + end + 1 >= skip.to) return placeAt(file, skip.at + end + 1, false);
    }
    skip.at += bytes.length;
    if (bytes.length === 0 || skip.at > skip.to + SEARCH_BYTES) return placeAt(file, skip.at, true);
  }
  return null;
}

async function placeAt(file: FileHandle, offset: number, skipping: boolean): Promise<SkippedTo> {
  const back = await readAt(file, Math.max(0, offset - BACK_BYTES), Math.min(BACK_BYTES, offset));
  return { offset, skipping, back: fingerprint(back), backBytes: back.length };
}
