import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const MOST_BYTES = 8 * 1024 ** 2;
const TRY_EVERY_MS = 1_000;

/**
 * A file beside the spool that is given up when the disk is full. The log of the spool can then be worked into its file,
 * and as long as the file grows no more, both are written in place: the newest lines go where the oldest were.
 */
export function createReserve(path: string, capBytes: number, now: () => number) {
  const bytes = Math.min(MOST_BYTES, Math.floor(capBytes / 8));
  let triedMs = Number.NEGATIVE_INFINITY;

  function isThere(): boolean {
    return statSync(path, { throwIfNoEntry: false })?.size === bytes;
  }

  /** Twice of it: what is as good as full is left alone. */
  function hasRoom(): boolean {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize >= 2 * bytes;
  }

  return {
    /** How far a spool may grow that was smaller than this when the disk became full. */
    floorBytes: bytes / 4,
    /** Makes it when it is not there and there is room; tried now and then. True when it was made. */
    keep(): boolean {
      if (now() - triedMs < TRY_EVERY_MS) return false;
      triedMs = now();
      try {
        if (isThere() || !hasRoom()) return false;
        const file = openSync(path, 'w', 0o600);
        try {
          writeSync(file, Buffer.alloc(bytes, 0x2e));
        } finally {
          closeSync(file);
        }
        if (isThere()) return true;
      } catch {
        // The disk is full, or cannot be asked: it goes without, and says so itself when lines do not fit.
      }
      rmSync(path, { force: true });
      return false;
    },
    isThere,
    /** Gives it up; false when there was none. */
    release(): boolean {
      const was = isThere();
      rmSync(path, { force: true });
      // What became free is needed now.
      triedMs = now();
      return was;
    },
  };
}
