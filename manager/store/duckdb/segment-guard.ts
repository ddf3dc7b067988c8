import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { UnreadableLines } from '../ports.ts';
import { finishFile, unfinished } from './durable-file.ts';
import type { LoadedIndex } from './index-shelf.ts';
import type { Segment } from './layout.ts';
import { bytesAt, type Places, sumOf } from './parquet-places.ts';

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
        for (const block of wanted) {
          if (!known.whole.has(block) && !known.bad.has(block))
            ((await this.#isWhole(file, places, block)) ? known.whole : known.bad).add(block);
          if (known.bad.has(block)) bad.add(block);
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

  /** The bytes of blocks, each as it was written; those that are not are left out. */
  async blocksOf(segment: Segment, loaded: LoadedIndex, wanted: readonly number[]): Promise<Map<number, Buffer>> {
    const { places } = loaded.index.sealed!;
    const found = new Map<number, Buffer>();
    const bad = new Set<number>();
    const file = await open(join(this.#folder, segment.file), 'r').catch(() => null);
    try {
      for (const block of wanted) {
        const bytes = file === null ? null : await readBlock(file, places, block);
        if (bytes === null) bad.add(block);
        else found.set(block, bytes);
      }
    } finally {
      await file?.close();
    }
    this.#tell(segment, loaded, bad);
    return found;
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

  async #isWhole(file: FileHandle, places: Places, block: number): Promise<boolean> {
    try {
      return (await sumOf(file, places.starts[block]!, places.starts[block + 1]!)) === places.sums[block];
    } catch {
      return false;
    }
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

/** The bytes of a block, or null when they are not as they were written. */
async function readBlock(file: FileHandle, places: Places, block: number): Promise<Buffer | null> {
  const [from, to] = [places.starts[block]!, places.starts[block + 1]!];
  const bytes = await bytesAt(file, from, to - from).catch(() => null);
  return bytes !== null && bytes.length === to - from && crc32(bytes) === places.sums[block] ? bytes : null;
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
