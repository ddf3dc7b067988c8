import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type CutState, createLineCutter } from './line-cutter.ts';

/** Where one file was left. `head` tells a file that was emptied and written anew from one that grew. */
export interface Position extends CutState {
  inode: number;
  headBytes: number;
  head: string;
}

const CHUNK_BYTES = 64 * 1024;
const HEAD_BYTES = 256;

/**
 * Reads what is new in a file and returns where it stopped. `position` null: starts `firstBytes` before the end, at a
 * line. A file that was renamed away is read to its end first; one that was emptied is read from its beginning.
 */
export async function readNew(
  path: string,
  position: Position | null,
  options: { capBytes: number; firstBytes: number },
  give: (text: string) => void,
): Promise<Position | null> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return position;
  try {
    const { ino, size } = await file.stat();
    let at = position;
    if (at !== null && at.inode !== ino) {
      await drainRenamed(path, at, options.capBytes, give);
      at = fresh(ino, 0);
    } else if (at !== null && (size < at.offset || !(await sameHead(file, at)))) at = fresh(ino, 0);
    at ??= await beginning(file, ino, size, options.firstBytes);
    await readTo(file, at, options.capBytes, give);
    if (at.headBytes < HEAD_BYTES) {
      const head = await readAt(file, 0, Math.min(HEAD_BYTES, at.offset));
      at.headBytes = head.length;
      at.head = digest(head);
    }
    return at;
  } finally {
    await file.close();
  }
}

function fresh(inode: number, offset: number): Position {
  return { inode, offset, skipping: false, headBytes: 0, head: digest(Buffer.alloc(0)) };
}

/** The first look at a file: not its whole past, and not from the middle of a line. */
async function beginning(file: FileHandle, inode: number, size: number, firstBytes: number): Promise<Position> {
  if (size <= firstBytes) return fresh(inode, 0);
  const at = fresh(inode, size - firstBytes - 1);
  const byte = await readAt(file, at.offset, 1);
  at.offset += 1;
  // The line that was cut by our start is passed over.
  at.skipping = byte[0] !== 0x0a;
  return at;
}

async function readTo(file: FileHandle, at: Position, capBytes: number, give: (text: string) => void): Promise<void> {
  const cutter = createLineCutter(at, capBytes, give);
  for (let from = at.offset; ; ) {
    const bytes = await readAt(file, from, CHUNK_BYTES);
    if (bytes.length === 0) return;
    cutter.take(bytes);
    from += bytes.length;
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

async function sameHead(file: FileHandle, at: Position): Promise<boolean> {
  return at.headBytes === 0 || digest(await readAt(file, 0, at.headBytes)) === at.head;
}

/** The file was moved to a name beside it (`x.log.0`, `x.log-20260101`): what it got before that is read there. */
async function drainRenamed(path: string, at: Position, capBytes: number, give: (text: string) => void): Promise<void> {
  const folder = dirname(path);
  const name = basename(path);
  for (const other of await readdir(folder).catch(() => [])) {
    if (other === name || !other.startsWith(name)) continue;
    const there = join(folder, other);
    if ((await stat(there).catch(() => null))?.ino !== at.inode) continue;
    const file = await open(there, 'r').catch(() => null);
    if (file === null) return;
    await readTo(file, at, capBytes, give).finally(() => file.close());
    return;
  }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
