import { constants } from 'node:fs';
import { type FileHandle, lstat, open, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { WebvirtError } from '../../../common/errors.ts';

/** Where the disk of an instance lies: its UUID is its name, so no two instances ever want the same file. */
export function diskPathOf(folder: string, uuid: string): string {
  return join(folder, `${uuid}.qcow2`);
}

/** Names a file through its open folder: a folder that is swapped for a link in between leads nowhere else. */
async function withFolder<T>(path: string, work: (inFolder: string) => Promise<T>): Promise<T> {
  const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return await work(`/proc/self/fd/${folder.fd}/${basename(path)}`);
  } finally {
    await folder.close();
  }
}

/**
 * Makes an empty file that was not there, in a real folder, and keeps it open.
 * @throws {WebvirtError} in-use when there is anything of this name, no-room, or libvirt-failed with the system's word.
 */
export function makeFile(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return withFolder(path, (inFolder) => open(inFolder, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST')
        throw new WebvirtError('in-use', `There is a file ${path} already; it was left as it is.`);
      if (error.code === 'ENOSPC' || error.code === 'EDQUOT') throw new WebvirtError('no-room', 'The pool is full.');
      throw new WebvirtError('bad-request', `The disk ${path} could not be made (${error.code ?? String(error)}).`);
    },
  );
}

/** Removes a regular file, and only the one with this inode when one is given. False when it was not there. */
export function removeFile(path: string, ino?: number): Promise<boolean> {
  return withFolder(path, async (inFolder) => {
    const stats = await lstat(inFolder);
    if (!stats.isFile() || (ino !== undefined && stats.ino !== ino)) return false;
    await unlink(inFolder);
    return true;
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return false;
    throw error;
  });
}

/** Opens a disk of ours for reading; null when there is none of this name, or it is no regular file. */
export function openDisk(path: string): Promise<FileHandle | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return withFolder(path, async (inFolder) => {
    const handle = await open(inFolder, flags);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return null;
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP' || error.code === 'ENOTDIR') return null;
    throw error;
  });
}
