import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, syncFolder, unfinished } from './durable-file.ts';
import { indexName } from './index-shelf.ts';
import type { Segment } from './layout.ts';

/** Folder of the sealed files of a database file. */
export const sealedFolder = (path: string) => (path.endsWith('.duckdb') ? path.slice(0, -7) : `${path}.sealed`);

const PARQUET_END = 'PAR1';

/**
 * Makes the folder what the rows say: what no row names and nobody writes was left by a crash and is removed; a file that
 * a row names but that is not there or cut off is answered.
 */
export async function tidyFolder(
  folder: string,
  segments: readonly Segment[],
  underway: ReadonlySet<string>,
): Promise<Segment[]> {
  await mkdir(folder, { recursive: true });
  const files = [...segments.map(({ file }) => file), ...underway];
  const known = new Set(files.flatMap((file) => [file, indexName(file)]));
  for (const name of await readdir(folder)) {
    const ours = /\.(parquet|index)(\.unfinished)?$/.test(name);
    if (ours && !known.has(name.replace(/\.unfinished$/, ''))) await removeFile(join(folder, name));
  }
  const damaged: Segment[] = [];
  for (const segment of segments) if (!(await isWhole(join(folder, segment.file)))) damaged.push(segment);
  return damaged;
}

/** Takes both files of each away. */
export async function removeSegments(folder: string, files: readonly string[]): Promise<void> {
  for (const name of files.flatMap((file) => [file, indexName(file)])) {
    await removeFile(join(folder, name));
    await removeFile(unfinished(join(folder, name)));
  }
  await syncFolder(folder);
}

async function isWhole(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const end = Buffer.alloc(PARQUET_END.length);
      await file.read(end, 0, end.length, Math.max(0, size - end.length));
      return end.toString('latin1') === PARQUET_END;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
