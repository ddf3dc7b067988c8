import { createHash } from 'node:crypto';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import type { FileFacts } from '../../common/wire/migration.ts';
import { isShared, type Mount, readMounts } from '../resources/mounts.ts';

const HEAD_BYTES = 64 * 1024;

/** What is known of each of these files on this host: enough to tell whether another host sees the same ones. */
export async function fileFacts(paths: readonly string[]): Promise<FileFacts[]> {
  const mounts = await readMounts();
  return Promise.all(paths.map((path) => one(path, mounts)));
}

async function one(path: string, mounts: readonly Mount[]): Promise<FileFacts> {
  const none: FileFacts = {
    ...{ path, there: false, readable: false, inode: 0, sizeBytes: 0, fileSystem: '', shared: false, head: null },
  };
  // The path is another host's word: it is only looked at, and only when it is a plain one.
  if (!path.startsWith('/') || path.includes('\0')) return none;
  try {
    const real = await realpath(path);
    const found = await stat(real);
    if (!found.isFile() && !found.isBlockDevice()) return none;
    const head = await headOf(real);
    return {
      path,
      there: true,
      readable: head !== null,
      inode: found.ino,
      sizeBytes: found.size,
      fileSystem: mountOf(real, mounts),
      shared: isShared(real, mounts),
      head,
    };
  } catch {
    return none;
  }
}

async function headOf(path: string): Promise<string | null> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex').slice(0, 32);
  } catch {
    return null;
  } finally {
    await file?.close();
  }
}

function mountOf(path: string, mounts: readonly Mount[]): string {
  const inside = mounts.filter(
    (mount) => mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`),
  );
  const best = inside.reduce<Mount | null>(
    (longest, mount) => (mount.path.length >= (longest?.path.length ?? 0) ? mount : longest),
    null,
  );
  return (best?.type ?? '').slice(0, 64);
}
