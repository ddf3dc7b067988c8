import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Segment } from './layout.ts';
import { decodeIndex, type SegmentIndex } from './segment-index.ts';

export interface LoadedIndex {
  index: SegmentIndex;
  data: Buffer;
}

/** Name of the side file of a file of sealed lines. */
export const indexName = (file: string) => file.replace(/\.parquet$/, '.index');

/**
 * Side files in memory, the ones used last, up to a number of bytes. One that is missing or damaged is told once and
 * answered as null: the search then reads all lines of its file.
 */
export class IndexShelf {
  readonly #loaded = new Map<string, Promise<LoadedIndex | null>>();
  readonly #sizes = new Map<string, number>();
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #onMissing: (segment: Segment) => void;
  #bytes = 0;

  constructor(folder: string, limitBytes: number, onMissing: (segment: Segment) => void) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
    this.#onMissing = onMissing;
  }

  get(segment: Segment): Promise<LoadedIndex | null> {
    const { file } = segment;
    const known = this.#loaded.get(file);
    if (known !== undefined) {
      // Used last: at the end of the order in which they go.
      this.#loaded.delete(file);
      this.#loaded.set(file, known);
      return known;
    }
    const loading = this.#load(segment);
    this.#loaded.set(file, loading);
    return loading;
  }

  /** The side file was written anew, or its lines are gone. */
  forget(file: string): void {
    this.#bytes -= this.#sizes.get(file) ?? 0;
    this.#sizes.delete(file);
    this.#loaded.delete(file);
  }

  async #load(segment: Segment): Promise<LoadedIndex | null> {
    const bytes = await readFile(join(this.#folder, indexName(segment.file))).catch(() => null);
    const loaded = bytes === null ? null : decodeIndex(bytes);
    if (loaded === null) {
      this.#onMissing(segment);
      return null;
    }
    if (!this.#loaded.has(segment.file)) return loaded;
    this.#sizes.set(segment.file, bytes!.length);
    this.#bytes += bytes!.length;
    for (const file of this.#loaded.keys()) {
      if (this.#bytes <= this.#limitBytes) break;
      if (file !== segment.file) this.forget(file);
    }
    return loaded;
  }
}
