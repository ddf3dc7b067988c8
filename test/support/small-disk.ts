import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of its own that is small enough to fill; only root may make one. */
export interface SmallDisk {
  /** Leaves no byte free, or about so many. */
  fill(leaveBytes?: number): void;
  /** Gives back what `fill` took. */
  free(): void;
  unmount(): void;
}

/** Mounts one at the path, with so many inodes if that is said. Null where that is not possible. */
export function mountSmallDisk(path: string, sizeMiB: number, inodes?: number): SmallDisk | null {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const limits = `size=${sizeMiB}m,mode=0700${inodes === undefined ? '' : `,nr_inodes=${inodes}`}`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', limits, 'tmpfs', path]);
  if (mounted.status !== 0) return null;
  const filler = join(path, 'filler');
  return {
    fill(leaveBytes = 0) {
      const file = openSync(filler, 'a');
      try {
        for (let bytes = 1024 ** 2; bytes >= 1; bytes = Math.floor(bytes / 4)) {
          const chunk = Buffer.alloc(bytes, 0x2e);
          while (writeWhole(file, chunk));
        }
        if (leaveBytes > 0) ftruncateSync(file, Math.max(0, fstatSync(file).size - leaveBytes));
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
