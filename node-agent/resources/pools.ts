import { realpath, stat, statfs } from 'node:fs/promises';
import { WebvirtError } from '../../common/errors.ts';
import type { Pool } from '../../common/model/resources.ts';
import { isShared, type Mount, readMounts } from './mounts.ts';

/** The folders in which disks may lie. Nothing outside of them is ever written, read as a disk, or removed. */
export interface Pools {
  /** All of them as they are now, in the order of the configuration; one that cannot be used says why. */
  read(): Promise<Pool[]>;
  /** The real path of a pool's folder. @throws {WebvirtError} not-found for an unknown or unusable pool. */
  folder(name: string): Promise<string>;
  /** Real paths of every pool that can be used now. */
  folders(): Promise<string[]>;
  /** Bytes that can be written into it now. @throws like `folder`. */
  freeBytes(name: string): Promise<{ freeBytes: number; totalBytes: number }>;
}

/** `paths`: absolute folder by name. They are resolved at each use: a pool may be mounted after the agent started. */
export function createPools(paths: Readonly<Record<string, string>>): Pools {
  async function space(folder: string) {
    const { bsize, bavail, blocks } = await statfs(folder);
    return { freeBytes: bsize * bavail, totalBytes: bsize * blocks };
  }

  async function one(name: string, path: string, mounts: readonly Mount[]): Promise<Pool> {
    const none = { name, path, totalBytes: 0, freeBytes: 0, shared: false };
    try {
      const real = await realpath(path);
      if (!(await stat(real)).isDirectory()) return { ...none, fault: 'This is not a folder.' };
      return { ...none, path: real, ...(await space(real)), shared: isShared(real, mounts) };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return { ...none, fault: 'The folder is not there. Is it mounted?' };
      return { ...none, fault: `The folder cannot be read (${code ?? 'unknown'}).` };
    }
  }

  async function folder(name: string): Promise<string> {
    const path = Object.hasOwn(paths, name) ? paths[name] : undefined;
    if (path === undefined)
      throw new WebvirtError(
        'not-found',
        `This host has no pool ${name}; pools are folders that its configuration names.`,
      );
    const pool = await one(name, path, []);
    if (pool.fault !== undefined) throw new WebvirtError('not-found', `Pool ${name}, ${path}: ${pool.fault}`);
    return pool.path;
  }

  async function read(): Promise<Pool[]> {
    const mounts = await readMounts();
    return Promise.all(Object.entries(paths).map(([name, path]) => one(name, path, mounts)));
  }

  return {
    read,
    folder,
    folders: async () => (await read()).filter(({ fault }) => fault === undefined).map(({ path }) => path),
    freeBytes: async (name) => space(await folder(name)),
  };
}
