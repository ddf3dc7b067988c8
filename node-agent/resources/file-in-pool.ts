import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { WebvirtError } from '../../common/errors.ts';

/**
 * Segments of plain characters: no leading dash (an option), no colon (`nbd:…` and `json:…` are other things to QEMU than
 * files), no dots alone, nothing that a terminal or a shell would read in its own way.
 */
const SEGMENT = /^[A-Za-z0-9_+][A-Za-z0-9._+@=-]{0,254}$/;
const MAX_PATH = 512;

/** A file that was opened where it was looked at: its name may be swapped afterwards, what is open stays the same. */
export interface OpenFile {
  /** Absolute and real: no part of it was a symbolic link when it was opened. */
  path: string;
  handle: FileHandle;
}

/** Says what is wrong with a path relative to a pool, or null. */
export function relativePathFault(path: string): string | null {
  if (path === '' || path.length > MAX_PATH) return `a path has 1 to ${MAX_PATH} characters`;
  if (path.startsWith('/')) return 'the path is relative to the pool';
  return path.split('/').every((segment) => SEGMENT.test(segment))
    ? null
    : 'the path has letters, digits and . _ + @ = - only, and no part of it begins with a dot or a dash';
}

/**
 * Opens a regular file inside a pool for reading, by its path relative to `folder` (a real path).
 * @throws {WebvirtError} bad-name for a path that is not plain, not-found, bad-request for what is no plain file inside.
 */
export async function openInPool(folder: string, path: string): Promise<OpenFile> {
  const fault = relativePathFault(path);
  if (fault !== null) throw new WebvirtError('bad-name', `This path is not taken: ${fault}.`);
  const real = await realpath(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
    throw new WebvirtError('not-found', `There is no file ${path} in this pool (${error.code ?? 'unknown'}).`);
  });
  return openReal(folder, real, path);
}

/** Opens a file by its absolute real path, which must lie inside `folder`. @throws like `openInPool`. */
export async function openReal(folder: string, real: string, shown = real): Promise<OpenFile> {
  mustBeInside(folder, real, shown);
  // Not blocking: a pipe in the place of an image must not hold the agent.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(real, flags).catch((error: NodeJS.ErrnoException) => {
    throw new WebvirtError('not-found', `The file ${shown} cannot be opened (${error.code ?? 'unknown'}).`);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new WebvirtError('bad-request', `${shown} is not a regular file.`);
    // A second name may stand anywhere on this file system, for a file that is nobody's image.
    if (stats.nlink !== 1)
      throw new WebvirtError('bad-request', `${shown} has ${stats.nlink} names (hard links); copy it into the pool.`);
    // A folder on the way may have become a link between the look and the opening: what counts is what is open.
    const opened = await readlink(`/proc/self/fd/${handle.fd}`);
    if (opened !== real) throw new WebvirtError('bad-request', `${shown} was moved while it was looked at.`);
    mustBeInside(folder, opened, shown);
    return { path: opened, handle };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function mustBeInside(folder: string, real: string, shown: string): void {
  if (!real.startsWith(folder === '/' ? '/' : `${folder}/`))
    throw new WebvirtError('bad-request', `${shown} leads out of the pool; only files inside of it are taken.`);
}
