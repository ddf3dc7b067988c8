import { mkdir, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedIndex } from './index-shelf.ts';
import type { Segment } from './layout.ts';
import { excerptFooter } from './parquet-places.ts';
import type { SegmentGuard } from './segment-guard.ts';

/** Name of the folder beside the sealed files. What is in it is of no use when the program begins. */
export const EXCERPT_FOLDER = 'excerpts';
const HEAD = Buffer.from('PAR1');

let number = 0;

/**
 * Writes the wanted blocks of a file as a small file of their own. To open the large one the database goes through the
 * description of all its blocks several times: a search that knows its one block would wait for nothing else. Answers the
 * path and the blocks that could not be read; the path is null when none could. Rejects when there is no room on the disk.
 */
export async function writeExcerpt(
  folder: string,
  guard: SegmentGuard,
  segment: Segment,
  loaded: LoadedIndex,
  wanted: readonly number[],
): Promise<{ path: string | null; bad: Set<number> }> {
  const { places, tailOffset } = loaded.index.sealed!;
  const { found, bad } = await guard.bytesOf(segment, loaded, wanted);
  if (found.size === 0) return { path: null, bad };
  const tail = loaded.data.subarray(tailOffset, tailOffset + places.bytes - places.starts.at(-1)!);
  number += 1;
  const path = join(folder, EXCERPT_FOLDER, `${process.pid}-${number}.parquet`);
  const parts = [HEAD, ...found.values(), excerptFooter(tail, places, [...found.keys()])];
  await writeFile(path, Buffer.concat(parts), { mode: 0o600 });
  return { path, bad };
}

export async function prepareExcerpts(folder: string): Promise<void> {
  await rm(join(folder, EXCERPT_FOLDER), { recursive: true, force: true });
  await mkdir(join(folder, EXCERPT_FOLDER), { recursive: true, mode: 0o700 });
}

/** Leaves nothing of them; what cannot be removed goes at the next start. */
export async function removeExcerpts(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => unlink(path).catch(() => undefined)));
}
