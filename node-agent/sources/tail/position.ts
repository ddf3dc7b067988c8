import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { BACK_BYTES } from './line-cutter.ts';

export const HEAD_BYTES = 256;

export interface Opened {
  file: FileHandle;
  stat: Stats;
}

const positionSchema = z.object({
  path: z.string(),
  ino: z.number(),
  /** When the file was made, where the file system tells: the number of one without content is known again by it. */
  bornMs: z.number().optional(),
  offset: z.number().int().nonnegative(),
  skipping: z.boolean().default(false),
  /** Fingerprint of the first bytes, and how many: a number of an inode alone is soon given to another file. */
  head: z.string(),
  headBytes: z.number().int().min(0).max(HEAD_BYTES),
  /** Fingerprint of the bytes before `offset`: a file that was emptied and has grown again does not have them. */
  back: z.string(),
  backBytes: z.number().int().min(0).max(BACK_BYTES),
  /** When it was read last, wall clock. */
  seenMs: z.number(),
  /** Since when there is no such file. */
  goneMs: z.number().optional(),
  /** What the source itself wants to remember of this file. */
  note: z.string().optional(),
});
/** Where reading of one file stands: everything before `offset` was given out. */
export type Position = z.infer<typeof positionSchema>;

/** The beginning of a file of which nothing was read. */
export function freshPosition(path: string, of: Pick<Stats, 'ino' | 'birthtimeMs'>, nowMs: number): Position {
  const none = fingerprint(Buffer.alloc(0));
  const parts = { head: none, headBytes: 0, back: none, backBytes: 0, seenMs: nowMs };
  const born = of.birthtimeMs > 0 ? { bornMs: of.birthtimeMs } : {};
  return { path, ino: of.ino, ...born, offset: 0, skipping: false, ...parts };
}

/** The beginning of a file with the fingerprint of what it begins with: it is known by that under another name. */
export async function notedPosition(path: string, { file, stat }: Opened, nowMs: number): Promise<Position> {
  const head = stat.size === 0 ? Buffer.alloc(0) : await readAt(file, 0, HEAD_BYTES);
  return { ...freshPosition(path, stat, nowMs), head: fingerprint(head), headBytes: head.length };
}

/** True when nothing is known of the content of the file. */
export function isBlank(at: Position | null): boolean {
  return at === null || (at.offset === 0 && at.headBytes === 0);
}

/** The same place in a file that has the same content up to it. */
export function inFile(at: Position, { ino, birthtimeMs }: Pick<Stats, 'ino' | 'birthtimeMs'>): Position {
  const { bornMs: _, ...rest } = at;
  return { ...rest, ino, ...(birthtimeMs > 0 ? { bornMs: birthtimeMs } : {}) };
}

/** True when a file has the number of this position. What has content is known by that besides: see `fits`. */
export function hasNumber(stat: Pick<Stats, 'ino' | 'birthtimeMs'>, at: Position): boolean {
  return stat.ino === at.ino && (!isBlank(at) || at.bornMs === undefined || stat.birthtimeMs === at.bornMs);
}

/** Reads a saved position; null for one that cannot be read. */
export function parsePosition(text: string | undefined): Position | null {
  if (text === undefined) return null;
  try {
    return positionSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** True when the file has what this position says of it, by its content. */
export async function fits(file: FileHandle, at: Position): Promise<boolean> {
  if (at.headBytes > 0 && fingerprint(await readAt(file, 0, at.headBytes)) !== at.head) return false;
  return at.backBytes === 0 || fingerprint(await readAt(file, at.offset - at.backBytes, at.backBytes)) === at.back;
}

/** At most `length` bytes from `offset` on. */
export async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, Math.max(0, offset));
  return buffer.subarray(0, bytesRead);
}

export function fingerprint(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('base64url').slice(0, 12);
}
