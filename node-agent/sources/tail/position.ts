import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { BACK_BYTES } from './line-cutter.ts';

export const HEAD_BYTES = 256;

const positionSchema = z.object({
  path: z.string(),
  ino: z.number(),
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

/** The beginning of a file. */
export function freshPosition(path: string, ino: number, nowMs: number): Position {
  const none = fingerprint(Buffer.alloc(0));
  return { path, ino, offset: 0, skipping: false, head: none, headBytes: 0, back: none, backBytes: 0, seenMs: nowMs };
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
