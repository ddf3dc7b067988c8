import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { LineStats, UnreadableLines } from '../ports.ts';
import { buildIndex } from './build-index.ts';
import { type ConnectionOptions, USUAL_THREADS } from './connections.ts';
import { sizeOf, writeDurably } from './durable-file.ts';
import type { Engine } from './engine.ts';
import { prepareExcerpts } from './excerpts.ts';
import { IndexShelf, indexName } from './index-shelf.ts';
import { LayoutBook, type Segment } from './layout.ts';
import { isAsWritten } from './parquet-places.ts';
import { createRoom, type Room } from './room.ts';
import { type Scrub, startScrub } from './scrub.ts';
import { createSealer, type MendPoint, type Sealer, type SealPoint } from './sealer.ts';
import { removeSegments, sealedFolder, tidyFolder } from './segment-files.ts';
import { SegmentGuard, together } from './segment-guard.ts';
import { decodeIndex, salvagedPlaces } from './segment-index.ts';
import { keepUp } from './upkeep.ts';

export interface SealedOptions extends Pick<ConnectionOptions, 'threads'> {
  /** Lines, characters of text, and age at which the table of new lines is sealed. */
  sealLines?: number;
  sealCharacters?: number;
  sealAfterMs?: number;
  /** Memory for what is known of sealed blocks. */
  filterBytes?: number;
  sealFailpoint?: (name: SealPoint | MendPoint) => void;
  /** Free room in the database file from which it is written anew. */
  freeBytes?: number;
  /** A part of a file of sealed lines is missing or damaged: its lines are left out until it is put back. */
  onDamaged?: (segment: { file: string } & UnreadableLines) => void;
  /** All sealed files are read and compared with their checksums in this time, again and again; null or absent: they are not. */
  scrubEveryMs?: number | null;
  /** Part of the time that this may take; one in fifty when absent. */
  scrubShare?: number;
  /** Sealing failed; it is tried again. */
  onSealFailed?: (error: unknown) => void;
}

const LOOK_EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
const FREE_BYTES = 64 * 1024 ** 2;
/** So many tables of new lines may wait: one that is being sealed, and one that fills meanwhile. */
const UNSEALED_TABLES = 2;

/** The sealed lines of a store: their folder, what is known of it, and the work on it. */
export interface Sealed extends Omit<Sealer, 'look'> {
  book: LayoutBook;
  shelf: IndexShelf;
  guard: SegmentGuard;
  room: Room;
  folder: string;
  /** Reads what is stored, at each opening of the file. */
  load(connection: DuckDBConnection): Promise<void>;
  start(engine: Engine): void;
  look(): void;
  removeLater(file: string): void;
  /** Makes small files one, and the database file smaller, where it is worth it. */
  tidy(): Promise<void>;
  /** A file cannot be read at all: it is left out from now on, and told. */
  lose(segment: Segment): void;
  /** What is known of what cannot be read, and how far the search for more is. */
  condition(): Pick<LineStats, 'unreadable' | 'scrub'>;
  stop(): Promise<void>;
}

export function openSealed(path: string, options: SealedOptions): Sealed {
  const folder = sealedFolder(path);
  const book = new LayoutBook();
  const shelf = new IndexShelf(folder, options.filterBytes ?? 128 * 1024 ** 2, rebuild);
  const guard = new SegmentGuard(folder, ({ file }, lost) => options.onDamaged?.({ file, ...lost }));
  const onFailed = options.onSealFailed ?? (() => undefined);
  const { sealLines = 2 ** 20, sealCharacters = 2 ** 28 } = options;
  const look = () => started?.sealer.look(Date.now());
  const limits = { lines: sealLines * UNSEALED_TABLES, characters: sealCharacters * UNSEALED_TABLES };
  const room = createRoom(limits, () => book.current, look);
  const later = new Set<Promise<unknown>>();
  let started: { engine: Engine; sealer: Sealer; timer: NodeJS.Timeout } | null = null;
  let stopped = false;
  let scrub: Scrub | null = null;

  function run(work: Promise<unknown>): void {
    const ended = work.catch((error: unknown) => void (stopped || onFailed(error))).finally(() => later.delete(ended));
    later.add(ended);
  }

  /** Makes a side file that is missing or damaged anew; until then its lines are all read. */
  function rebuild(segment: Segment): void {
    if (started === null) return;
    const { engine, sealer } = started;
    run(
      sealer.alone(async () => {
        if (!book.current.segments.includes(segment)) return;
        // A file that is damaged too must not become the measure of what is whole.
        const places = salvagedPlaces(await readIndex(segment));
        if (places !== null && !(await isAsWritten(join(folder, segment.file), places))) return lose(segment);
        const index = await engine.aside((connection) => buildIndex(connection, join(folder, segment.file)));
        await writeDurably(join(folder, indexName(segment.file)), index);
        shelf.forget(segment.file);
      }),
    );
  }

  const readIndex = ({ file }: Segment) => readFile(join(folder, indexName(file))).catch(() => Buffer.alloc(0));

  function lose(segment: Segment): void {
    if (book.damaged.has(segment.file)) return;
    book.lose(segment);
    const { file, lines, minSortMs: fromMs, maxSortMs: toMs } = segment;
    options.onDamaged?.({ file, lines, fromMs, toMs });
  }

  function condition(): Pick<LineStats, 'unreadable' | 'scrub'> {
    const { segments, lost } = book.current;
    const unreadable = lost.map(({ file, lines, minSortMs: fromMs, maxSortMs: toMs }) => ({
      file,
      lines,
      fromMs,
      toMs,
    }));
    for (const segment of segments) {
      const damage = guard.damageOf(segment);
      if (damage.length > 0) unreadable.push({ file: segment.file, ...together(damage) });
    }
    return { unreadable, ...(scrub === null ? {} : { scrub: scrub.state() }) };
  }

  const need = () => {
    if (started === null) throw new TypeError('the store is not open');
    return started;
  };

  function removeLater(file: string): void {
    run(
      need()
        .engine.readsEnded()
        .then(() => removeSegments(folder, [file])),
    );
  }

  function tidy(): Promise<void> {
    const { engine, sealer } = need();
    const failpoint = options.sealFailpoint ?? (() => undefined);
    const upkeep = { path, fullLines: sealLines, freeBytes: options.freeBytes ?? FREE_BYTES };
    const { underway } = sealer;
    return sealer.alone(() => keepUp(upkeep, { engine, book, shelf, guard, folder, underway, removeLater, failpoint }));
  }

  const none = new Set<string>();
  return {
    ...{ book, shelf, guard, folder, room },
    get underway() {
      return started?.sealer.underway ?? none;
    },
    async load(connection) {
      book.damaged.clear();
      const { segments } = await book.load(connection);
      await prepareExcerpts(folder);
      // With what is known of its blocks those that are left of a damaged file can be read.
      for (const segment of await tidyFolder(folder, segments, started?.sealer.underway ?? none))
        if (!decodeIndex(await readIndex(segment))?.index.sealed) lose(segment);
    },
    start(engine) {
      const { sealAfterMs = DAY_MS, sealFailpoint } = options;
      const sealer = createSealer(
        { lines: sealLines, characters: sealCharacters, ageMs: sealAfterMs },
        {
          ...{ engine, book, folder, threads: options.threads ?? USUAL_THREADS, logBytes: () => sizeOf(`${path}.wal`) },
          failpoint: sealFailpoint ?? (() => undefined),
          onFailed: (error) => void (stopped || onFailed(error)),
          onEnded: (ok) => room.sealed(ok),
        },
      );
      const timer = setInterval(() => {
        sealer.look(Date.now());
        run(tidy());
      }, LOOK_EVERY_MS);
      timer.unref();
      started = { engine, sealer, timer };
      sealer.look(Date.now());
      if (typeof options.scrubEveryMs === 'number')
        scrub = startScrub(
          { everyMs: options.scrubEveryMs, folder, share: options.scrubShare },
          { book, shelf, guard },
        );
    },
    ...{ look, lose, condition },
    seal: () => need().sealer.seal(),
    alone: (work) => need().sealer.alone(work),
    finishOld: () => need().sealer.finishOld(),
    removeLater,
    tidy,
    async stop() {
      stopped = true;
      clearInterval(started?.timer);
      await scrub?.stop();
      started?.engine.interruptAside();
      await started?.sealer.alone(() => Promise.resolve());
      await Promise.all(later);
    },
  };
}
