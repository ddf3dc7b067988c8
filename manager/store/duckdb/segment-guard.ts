import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { UnreadableLines } from '../ports.ts';
import { finishFile, unfinished } from './durable-file.ts';
import type { LoadedIndex } from './index-shelf.ts';
import type { Segment } from './layout.ts';
import { bytesAt, groupsWith, type Places, sumOf } from './parquet-places.ts';
import type { Block } from './segment-index.ts';

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
  /** What of each file cannot be read, as far as it is known, by block from 0 on. */
  readonly #damage = new Map<string, Map<number, UnreadableLines>>();
  readonly #folder: string;
  readonly #onLost: (segment: Segment, lost: UnreadableLines) => void;

  constructor(folder: string, onLost: (segment: Segment, lost: UnreadableLines) => void) {
    this.#folder = folder;
    this.#onLost = onLost;
  }

  /** Those of the wanted blocks (counted from 0) that are not as they were written. Never rejects. */
  async badBlocks(segment: Segment, loaded: LoadedIndex, wanted: readonly number[]): Promise<Set<number>> {
    const bad = await this.#look(segment, loaded, wanted);
    this.#note(segment, loaded, wanted, bad);
    return bad;
  }

  /** Reads a row group from the disk whatever is known of it, with the first one the footer too. A file that is gone since was deleted. */
  async recheck(segment: Segment, loaded: LoadedIndex, group: number, isThere: () => boolean): Promise<void> {
    const { first, last } = loaded.index.sealed!.places;
    const known = this.#known.get(segment.file);
    known?.whole.delete(group);
    known?.bad.delete(group);
    if (known !== undefined && group === 0) known.tailIsWhole = false;
    const wanted = Array.from({ length: last[group]! - first[group]! + 1 }, (_, i) => first[group]! + i);
    const bad = await this.#look(segment, loaded, wanted);
    if (isThere()) this.#note(segment, loaded, wanted, bad);
  }

  async #look(segment: Segment, loaded: LoadedIndex, wanted: readonly number[]): Promise<Set<number>> {
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
    this.#note(segment, loaded, wanted, bad);
    return { found, bad };
  }

  /**
   * Those of the wanted blocks that are known to be damaged: for an answer that needs no block. Of a file that was put back it is
   * known anew.
   */
  async knownBad(segment: Segment, loaded: LoadedIndex, wanted: readonly number[]): Promise<Set<number>> {
    const damage = this.#damage.get(segment.file);
    const known = damage === undefined ? [] : wanted.filter((block) => damage.has(block));
    return known.length === 0 ? new Set() : this.badBlocks(segment, loaded, known);
  }

  /** What is known of a file that cannot be read; a block each. */
  damageOf({ file }: Segment): UnreadableLines[] {
    return [...(this.#damage.get(file)?.values() ?? [])];
  }

  forget(file: string): void {
    this.#known.delete(file);
  }

  /** Each damaged block is told once, until it is whole again. */
  #note(segment: Segment, { index }: LoadedIndex, wanted: readonly number[], bad: ReadonlySet<number>): void {
    const damage = this.#damage.get(segment.file) ?? new Map<number, UnreadableLines>();
    for (const block of wanted) if (!bad.has(block)) damage.delete(block);
    const fresh = [...bad].filter((block) => !damage.has(block));
    for (const block of fresh) damage.set(block, linesOf(index.blocks[block]!));
    if (damage.size === 0) this.#damage.delete(segment.file);
    else this.#damage.set(segment.file, damage);
    if (fresh.length > 0) this.#onLost(segment, together(fresh.map((block) => damage.get(block)!)));
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

/** What a block says of its lines, where they cannot be read. */
export function linesOf({ lines, minSortMs: fromMs, maxSortMs: toMs }: Block): UnreadableLines {
  return { lines, fromMs, toMs };
}

/** All of them as one; there must be one. */
export function together(lost: readonly UnreadableLines[]): UnreadableLines {
  return {
    lines: lost.reduce((sum, { lines }) => sum + lines, 0),
    fromMs: lost.reduce((least, { fromMs }) => Math.min(least, fromMs), Infinity),
    toMs: lost.reduce((most, { toMs }) => Math.max(most, toMs), -Infinity),
  };
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
