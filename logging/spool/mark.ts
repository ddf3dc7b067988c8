import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { EpochCursor } from '../../common/wire/link.ts';
import { runningHash } from './frame.ts';

const SIZE = 128;

/**
 * How far the spool had come, in a small file of its own, rewritten in place after each commit and not synced. SQLite
 * drops the tail of a damaged write-ahead log without a word; the mark then tells which numbers are missing, so that
 * they are declared and never used twice. It can be older than the spool (after a power cut), never newer.
 */
export function openMark(path: string) {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  return {
    read(): EpochCursor | null {
      const buffer = Buffer.alloc(SIZE);
      const length = readSync(fd, buffer, 0, SIZE, 0);
      const [epoch, next, hash, check] = buffer.toString('latin1', 0, length).trimEnd().split(' ');
      if (epoch === undefined || next === undefined || hash === undefined || check === undefined) return null;
      return check === checkOf(epoch, next, hash) ? { epoch, next: Number(next), hash } : null;
    },
    /** Best effort: a mark that cannot be written is only an older mark. */
    write({ epoch, next, hash }: EpochCursor): void {
      const number = String(next);
      try {
        writeSync(fd, `${epoch} ${number} ${hash} ${checkOf(epoch, number, hash)}`.padEnd(SIZE), 0, 'latin1');
      } catch {}
    },
    close: () => closeSync(fd),
  };
}
export type Mark = ReturnType<typeof openMark>;

function checkOf(epoch: string, next: string, hash: string): string {
  return runningHash(hash, Buffer.from(`${epoch} ${next}`)).slice(0, 8);
}
