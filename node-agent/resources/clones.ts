import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readDiskHeader } from './disk-header.ts';

/** Which files of the pools are differences to which. A header is read again only when its file has changed. */
export interface Clones {
  /** Paths of the disks in these folders that stand on the file `path`. */
  of(path: string, folders: readonly string[]): Promise<string[]>;
  /** How many clones each backing file has. */
  count(folders: readonly string[]): Promise<Map<string, number>>;
}

interface Known {
  key: string;
  backing: string | null;
}

export function createClones(): Clones {
  let known = new Map<string, Known>();

  async function look(folders: readonly string[]): Promise<Map<string, Known>> {
    const next = new Map<string, Known>();
    for (const folder of new Set(folders)) {
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name);
        const one = await lookAt(path).catch(() => null);
        if (one !== null) next.set(path, one);
      }
    }
    known = next;
    return next;
  }

  async function lookAt(path: string): Promise<Known | null> {
    const stats = await lstat(path);
    if (!stats.isFile()) return null;
    // Data that a guest writes changes the time too: the name of the backing file stands in the first bytes, so it is cheap.
    const key = `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    const before = known.get(path);
    if (before?.key === key) return before;
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { backing } = await readDiskHeader(handle);
      return { key, backing: backing === null ? null : await fileOf(backing, dirname(path)) };
    } finally {
      await handle.close();
    }
  }

  return {
    of: async (path, folders) =>
      [...(await look(folders))].filter(([, { backing }]) => standsOn(backing, path)).map(([disk]) => disk),
    async count(folders) {
      const counts = new Map<string, number>();
      for (const { backing } of (await look(folders)).values())
        if (backing !== null) counts.set(backing, (counts.get(backing) ?? 0) + 1);
      return counts;
    },
  };
}

/** The file that the name of a backing file means: QEMU takes it relative to the disk, and with `file:` before it. */
async function fileOf(backing: string, folder: string): Promise<string> {
  if (/^json:|^\(/.test(backing)) return backing;
  const path = resolve(folder, backing.replace(/^file:/, ''));
  return realpath(path).catch(() => path);
}

/** A name that is a whole description of its own is not taken apart: that it speaks of the file is enough. */
function standsOn(backing: string | null, path: string): boolean {
  return backing === path || (backing?.startsWith('json:') === true && backing.includes(basename(path)));
}
