import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { UnreadableLines } from '../ports.ts';
import { finishFile, unfinished } from './durable-file.ts';
import type { LoadedIndex } from './index-shelf.ts';
import type { Segment } from './layout.ts';
import { bytesAt, groupsWith, type Places, sumOf } from './parquet-places.ts';

/** What is known of the bytes of one file, as long as it is the same file. */
interface Known {
  mark: string;
  tailIsWhole: boolean;
  whole: Set<number>;
  bad: Set<number>;
}

const COPY_BYTES = 4 * 1024 ** 2;

/**
 * Knows which blocks of the sealed files are as they were written. A block is read and compared with its checksum before it
 * is used for the first time, and again when the file changed; a footer that is damaged is written anew from its copy.
 */
export class SegmentGuard {
  readonly #known = new Map<string, Known>();
  readonly #mending = new Map<string, Promise<void>>();
  readonly #told = new Set<string>();
  readonly #folder: string;
  readonly #onLost: (segment: Segment, lost: UnreadableLines) => void;

  constructor(folder: string, onLost: (segment: Segment, lost: UnreadableLines) => void) {
    this.#folder = folder;
    this.#onLost = onLost;
  }

  /** Those of the wanted blocks (counted from 0) that are not as they were written. Never rejects. */
  async badBlocks(segment: Segment, loaded: LoadedIndex, wanted: readonly number[]): Promise<Set<number>> {
    const { places } = loaded.index.sealed!;
    const bad = new Set<number>();
    try {
      const file = await this.#openWhole(segment, loaded);
      try {
        const known = await this.#stateOf(segment.file, file);
        for (const group of groupsWith(places, wanted)) {
          if (!known.whole.has(group) && !known.bad.has(group))
            ((await isWhole(file, places, group)) ? known.whole : known.bad).add(group);
          if (known.bad.has(group)) addBlocks(places, group, wanted, bad);
        }
      } finally {
        await file.close();
      }
    } catch {
      // Gone, or the disk does not give it.
      for (const block of wanted) bad.add(block);
    }
    this.#tell(segment, loaded, bad);
    return bad;
  }

  /** The bytes of the row groups that have wanted blocks, each as it was written; `bad` are blocks of those that are not. */
  async bytesOf(
    segment: Segment,
    loaded: LoadedIndex,
    wanted: readonly number[],
  ): Promise<{ found: Map<number, Buffer>; bad: Set<number> }> {
    const { places } = loaded.index.sealed!;
    const found = new Map<number, Buffer>();
    const bad = new Set<number>();
    const file = await open(join(this.#folder, segment.file), 'r').catch(() => null);
    try {
      for (const group of groupsWith(places, wanted)) {
        const bytes = file === null ? null : await readGroup(file, places, group);
        if (bytes === null) addBlocks(places, group, wanted, bad);
        else found.set(group, bytes);
      }
    } finally {
      await file?.close();
    }
    this.#tell(segment, loaded, bad);
    return { found, bad };
  }

  forget(file: string): void {
    this.#known.delete(file);
  }

  #tell(segment: Segment, { index }: LoadedIndex, bad: ReadonlySet<number>): void {
    const fresh = [...bad].filter((block) => !this.#told.has(`${segment.file} ${block}`));
    if (fresh.length === 0) return;
    for (const block of fresh) this.#told.add(`${segment.file} ${block}`);
    const lost = fresh.map((block) => index.blocks[block]!);
    this.#onLost(segment, {
      lines: lost.reduce((sum, { lines }) => sum + lines, 0),
      fromMs: lost.reduce((least, { minSortMs }) => Math.min(least, minSortMs), Infinity),
      toMs: lost.reduce((most, { maxSortMs }) => Math.max(most, maxSortMs), -Infinity),
    });
  }

  async #stateOf(name: string, file: FileHandle): Promise<Known> {
    const { ino, size, mtimeMs, ctimeMs } = await file.stat();
    const mark = [ino, size, mtimeMs, ctimeMs].join(' ');
    let known = this.#known.get(name);
    if (known?.mark !== mark) {
      known = { mark, tailIsWhole: false, whole: new Set(), bad: new Set() };
      this.#known.set(name, known);
    }
    return known;
  }

  /** Opens the file; its footer is whole then. */
  async #openWhole(segment: Segment, loaded: LoadedIndex): Promise<FileHandle> {
    const path = join(this.#folder, segment.file);
    for (let tries = 0; ; tries += 1) {
      const file = await open(path, 'r');
      try {
        const known = await this.#stateOf(segment.file, file);
        if (known.tailIsWhole || (await hasWholeTail(file, loaded.index.sealed!.places))) {
          known.tailIsWhole = true;
          return file;
        }
        if (tries > 0) throw new Error('the footer cannot be written anew');
        await this.#mend(path, file, loaded);
      } catch (error) {
        await file.close();
        throw error;
      }
      await file.close();
    }
  }

  #mend(path: string, file: FileHandle, loaded: LoadedIndex): Promise<void> {
    const underway = this.#mending.get(path);
    if (underway !== undefined) return underway;
    const mending = writeMended(path, file, loaded).finally(() => this.#mending.delete(path));
    this.#mending.set(path, mending);
    return mending;
  }
}

async function isWhole(file: FileHandle, { starts, sums }: Places, group: number): Promise<boolean> {
  try {
    return (await sumOf(file, starts[group]!, starts[group + 1]!)) === sums[group];
  } catch {
    return false;
  }
}

/** The bytes of a row group, or null when they are not as they were written. */
async function readGroup(file: FileHandle, { starts, sums }: Places, group: number): Promise<Buffer | null> {
  const [from, to] = [starts[group]!, starts[group + 1]!];
  const bytes = await bytesAt(file, from, to - from).catch(() => null);
  return bytes !== null && bytes.length === to - from && crc32(bytes) === sums[group] ? bytes : null;
}

/** The wanted blocks that have lines in a row group. */
function addBlocks({ first, last }: Places, group: number, wanted: readonly number[], to: Set<number>): void {
  for (const block of wanted) if (first[group]! <= block && block <= last[group]!) to.add(block);
}

async function hasWholeTail(file: FileHandle, places: Places): Promise<boolean> {
  const { size } = await file.stat();
  return size === places.bytes && (await sumOf(file, places.starts.at(-1)!, size)) === places.sums.at(-1);
}

/** Writes a file with the blocks that are there, nothing where none are, and the tail as it was. */
async function writeMended(path: string, from: FileHandle, { index, data }: LoadedIndex): Promise<void> {
  const { places, tailOffset } = index.sealed!;
  const end = places.starts.at(-1)!;
  const to = await open(unfinished(path), 'w');
  try {
    for (let at = 0; at < end; at += COPY_BYTES) {
      const bytes = await bytesAt(from, at, Math.min(COPY_BYTES, end - at));
      await to.write(bytes, 0, bytes.length, at);
    }
    await to.write(data, tailOffset, places.bytes - end, end);
  } finally {
    await to.close();
  }
  await finishFile(path);
}
