import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScrubState } from '../ports.ts';
import { type IndexShelf, indexName } from './index-shelf.ts';
import type { LayoutBook, Segment } from './layout.ts';
import type { SegmentGuard } from './segment-guard.ts';
import { decodeIndex } from './segment-index.ts';

/** What it may take of the time. */
const USUAL_SHARE = 1 / 50;
/** Between two blocks. */
const LEAST_REST_MS = 50;
const MOST_REST_MS = 3_600_000;
/** Behind what should not happen. */
const FAILED_REST_MS = 60_000;
const SAVE_EVERY_MS = 60_000;
/** About the lines of a block: how many are left need not be exact. */
const BLOCK_LINES = 8_192;
/** Beside the sealed files. Without it, or with one that cannot be read, a pass starts anew. */
const PLACE_FILE = 'scrub.json';

/** How far a pass is. Files are read in the order of their numbers, which grow: what is sealed or merged meanwhile comes later. */
interface Place {
  passStartedMs: number;
  /** When the pass before ended; null: there was none. */
  lastMs: number | null;
  /** The last that was read, of which file, and so many of its lines with it. */
  segment: number;
  group: number;
  lines: number;
}

export interface Scrub {
  state(): ScrubState;
  /** Ends behind the block that is being read. */
  stop(): Promise<void>;
}

/**
 * Reads all sealed files again and again, a block at a time and a pass in `everyMs`, and compares them with their checksums: what
 * a disk lost is known while there still is a backup, not when somebody needs the lines. A pass that was held up goes on where it
 * was, as fast as one part in fifty of the time allows.
 */
export function startScrub(
  { everyMs, folder, share = USUAL_SHARE }: { everyMs: number; folder: string; share?: number | undefined },
  { book, shelf, guard }: { book: LayoutBook; shelf: IndexShelf; guard: SegmentGuard },
): Scrub {
  const path = join(folder, PLACE_FILE);
  const stopping = new AbortController();
  let place: Place = firstPlace(Date.now(), null);
  let savedMs = 0;
  const byNumber = () => [...book.current.segments].sort((a, b) => a.id - b.id);
  const isThere = ({ file }: Segment) => book.current.segments.some((one) => one.file === file);

  async function save(): Promise<void> {
    savedMs = Date.now();
    // To lose it costs a pass, so it is not worth a sync; half of it must not be read.
    await writeFile(`${path}.new`, JSON.stringify(place), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  /** Begins a file with what stands beside it. */
  async function begin(segment: Segment): Promise<void> {
    place = { ...place, segment: segment.id, group: -1, lines: 0 };
    const index = await readFile(join(folder, indexName(segment.file))).catch(() => null);
    // From the shelf it is made anew, where it can be.
    if ((index === null || decodeIndex(index) === null) && isThere(segment)) shelf.forget(segment.file);
  }

  /** Reads the next block that there is. False at the end. */
  async function readNext(): Promise<boolean> {
    for (const segment of byNumber()) {
      if (segment.id < place.segment) continue;
      if (segment.id > place.segment) await begin(segment);
      const loaded = await shelf.get(segment);
      const group = place.group + 1;
      const places = loaded?.index.sealed?.places;
      if (places === undefined || group + 1 >= places.starts.length) continue;
      const isGone = (await stat(join(folder, segment.file)).catch(() => null)) === null;
      if (isGone) {
        // Told at once, not block by block.
        if (isThere(segment)) await guard.badBlocks(segment, loaded!, [...loaded!.index.blocks.keys()]);
        place = { ...place, group: places.starts.length, lines: segment.lines };
        continue;
      }
      await guard.recheck(segment, loaded!, group, () => isThere(segment));
      place = { ...place, group, lines: place.lines + places.lines[group]! };
      return true;
    }
    return false;
  }

  /** Answers how long to rest. */
  async function step(): Promise<number> {
    const beganMs = Date.now();
    // The clock was set back.
    if (beganMs < place.passStartedMs) place = firstPlace(beganMs, place.lastMs);
    const isAll = !(await readNext());
    const nowMs = Date.now();
    // What is sealed until its time is over belongs to the pass too.
    const isOver = isAll && nowMs >= place.passStartedMs + everyMs;
    if (isOver) place = firstPlace(nowMs, nowMs);
    // On a full disk too it is read on.
    if (isOver || nowMs - savedMs > SAVE_EVERY_MS) await save().catch(() => undefined);
    const leastMs = Math.max(LEAST_REST_MS, (nowMs - beganMs) / share);
    const evenMs = (place.passStartedMs + everyMs - nowMs) / Math.max(1, blocksLeft());
    return Math.max(leastMs, Math.min(MOST_REST_MS, evenMs));
  }

  function blocksLeft(): number {
    const { lines, checkedLines } = state();
    return (lines - checkedLines) / BLOCK_LINES;
  }

  function state(): ScrubState {
    let [lines, checkedLines] = [0, 0];
    for (const segment of book.current.segments) {
      lines += segment.lines;
      if (segment.id < place.segment) checkedLines += segment.lines;
      else if (segment.id === place.segment) checkedLines += place.lines;
    }
    return { passStartedMs: place.passStartedMs, lines, checkedLines, lastPassMs: place.lastMs };
  }

  async function run(): Promise<void> {
    place = (await readPlace(path)) ?? place;
    while (!stopping.signal.aborted) {
      const restMs = await step().catch(() => FAILED_REST_MS);
      await sleep(restMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
    await save().catch(() => undefined);
  }

  const running = run();
  return {
    state,
    stop() {
      stopping.abort();
      return running;
    },
  };
}

function firstPlace(passStartedMs: number, lastMs: number | null): Place {
  return { passStartedMs, lastMs, segment: -1, group: -1, lines: 0 };
}

async function readPlace(path: string): Promise<Place | null> {
  try {
    const read = JSON.parse(await readFile(path, 'utf8')) as Place;
    const numbers = [read.passStartedMs, read.segment, read.group, read.lines];
    const isKnown = read.lastMs === null || Number.isFinite(read.lastMs);
    return isKnown && numbers.every(Number.isFinite) ? read : null;
  } catch {
    return null;
  }
}
