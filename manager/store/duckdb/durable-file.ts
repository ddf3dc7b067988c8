import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where a file is written before it has its name. Whatever has such a name after a crash was never used. */
export const unfinished = (path: string) => `${path}.unfinished`;

/** Writes a file that is there in full, on the disk, or not at all. */
export async function writeDurably(path: string, data: Buffer): Promise<void> {
  const file = await open(unfinished(path), 'w');
  try {
    await file.writeFile(data);
  } finally {
    await file.close();
  }
  await finishFile(path);
}

/** Brings what was written under the unfinished name to the disk, and then to its name. Answers its size in bytes. */
export async function finishFile(path: string): Promise<number> {
  const from = unfinished(path);
  const file = await open(from, 'r+');
  let size: number;
  try {
    await file.sync();
    ({ size } = await file.stat());
  } finally {
    await file.close();
  }
  await rename(from, path);
  await syncFolder(dirname(path));
  return size;
}

/** A new or removed name is on the disk only after this. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Size of a file in bytes; 0 when it is not there. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
