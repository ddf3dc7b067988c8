import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
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
      return { key, backing: (await readDiskHeader(handle)).backing };
    } finally {
      await handle.close();
    }
  }

  return {
    of: async (path, folders) =>
      [...(await look(folders))].filter(([, { backing }]) => backing === path).map(([disk]) => disk),
    async count(folders) {
      const counts = new Map<string, number>();
      for (const { backing } of (await look(folders)).values())
        if (backing !== null) counts.set(backing, (counts.get(backing) ?? 0) + 1);
      return counts;
    },
  };
}
