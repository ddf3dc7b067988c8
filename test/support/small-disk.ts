import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of its own that is small enough to fill; only root may make one. */
export interface SmallDisk {
  /** Leaves no byte free. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
  unmount(): void;
}

/** Mounts one at the path. Null where that is not possible. */
export function mountSmallDisk(path: string, sizeMiB: number): SmallDisk | null {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0700`, 'tmpfs', path]);
  if (mounted.status !== 0) return null;
  const filler = join(path, 'filler');
  return {
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (let bytes = 1024 ** 2; bytes >= 1; bytes = Math.floor(bytes / 4)) {
          const chunk = Buffer.alloc(bytes, 0x2e);
          while (writeWhole(file, chunk));
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    unmount: () => void spawnSync('umount', ['-l', '--', path]),
  };
}

function writeWhole(file: number, chunk: Buffer): boolean {
  try {
    return writeSync(file, chunk) === chunk.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
