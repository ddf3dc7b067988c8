import type { DuckDBConnection } from '@duckdb/node-api';
import type { Engine } from './engine.ts';
import type { HotTable, Layout, LayoutBook, Segment } from './layout.ts';
import { insertSegment, nextSegmentId, nextVersion } from './layout.ts';
import { integer } from './query-sql.ts';
import { createLines } from './schema.ts';
import { writeSegment } from './write-segment.ts';

/**
 * Named points of a sealing; tests end the process there. S1 lines are in a table of their own · S2 the file is written,
 * not synced, without its name · S3 file and side file are on the disk · S4 inside the transaction that names the file and
 * drops the table · S5 behind it.
 */
export type SealPoint = 'S1' | 'S2' | 'S3' | 'S4' | 'S5';

/**
 * The same of the work in quiet times. G1 small files are written as one, on the disk or not · G2 inside the transaction that
 * names it instead of them · G3 behind it · G4 the database file is written anew, without its name · G5 it has its name.
 */
export type MendPoint = 'G1' | 'G2' | 'G3' | 'G4' | 'G5';

export interface SealOptions {
  /** Lines at which the table is sealed. */
  lines: number;
  /** Characters of their texts at which it is sealed. */
  characters: number;
  /** Age of its oldest line at which it is sealed, however few there are. */
  ageMs: number;
}

export interface Sealer {
  /** Seals when it is time to; what is left of a sealing that failed goes first. Never rejects. */
  look(nowMs: number): void;
  /** Seals all lines there are. Rejects with what went wrong; nothing is lost then. */
  seal(): Promise<void>;
  /** Ends a sealing that was broken off, if there is one. */
  finishOld(): Promise<void>;
  /** Runs work that changes what is sealed, alone. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Files that are being written: no row names them yet. */
  underway: Set<string>;
}

/** Pause behind a sealing that failed: to sort a million lines again for each new one helps nobody. */
const RETRY_MS = 5_000;

/** A log of this size is read again in a few seconds at a start. */
const LONG_LOG_BYTES = 256 * 1024 ** 2;

export const emptyHot = (): HotTable => ({ extent: null, lines: 0, characters: 0, sinceMs: null });

/** Takes lines from the hot table to files. A line is in one place at every moment, whoever looks and whatever fails. */
export function createSealer(
  options: SealOptions,
  deps: {
    engine: Engine;
    book: LayoutBook;
    folder: string;
    /** Threads of the database while it does not seal. */
    threads: number;
    /** Size of the write-ahead log. */
    logBytes: () => Promise<number>;
    failpoint: (name: SealPoint) => void;
    onFailed: (error: unknown) => void;
    /** Sealing that it was time for ended, well or not. */
    onEnded: (ok: boolean) => void;
  },
): Sealer {
  const { book, folder, failpoint } = deps;
  const underway = new Set<string>();
  let tail: Promise<unknown> = Promise.resolve();
  let looking = false;
  /** Of the clock that never jumps. */
  let notBeforeMs = 0;

  async function rotate(): Promise<void> {
    await deps.engine.write(
      async (connection) => {
        await connection.run('ALTER TABLE lines RENAME TO lines_sealing');
        await connection.run(createLines('lines'));
        return nextVersion(connection, true);
      },
      (version) => book.put({ ...book.current, version, hot: emptyHot(), sealing: book.current.hot }),
    );
    failpoint('S1');
  }

  /** Writes the table that waits. Its rows change no more. */
  async function finish(): Promise<void> {
    const { engine } = deps;
    const id = await engine.write(nextSegmentId);
    let segment: Segment | null = null;
    try {
      segment = await engine.aside((connection) =>
        onOneThread(connection, deps.threads, () =>
          writeSegment(connection, {
            folder,
            id,
            from: { table: 'lines_sealing' },
            failpoint,
            onNamed: (file) => underway.add(file),
          }),
        ),
      );
      await engine.write(
        async (connection) => {
          if (segment !== null) await insertSegment(connection, segment);
          await connection.run('DROP TABLE lines_sealing');
          failpoint('S4');
          return nextVersion(connection, false);
        },
        (version) => book.put(withSegment({ ...book.current, version, sealing: null }, segment)),
      );
    } finally {
      underway.clear();
    }
    failpoint('S5');
    // What was sealed leaves the log now. To work much that is new into the file, only to seal it soon, would be for
    // nothing, and hold up those who write: that waits until the log is long.
    const few = book.current.hot.lines < options.lines / 8;
    if (few || (await deps.logBytes()) > LONG_LOG_BYTES) await engine.checkpoint();
  }

  function alone<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work);
    tail = result.catch(() => undefined);
    return result;
  }

  async function finishOld(): Promise<void> {
    if (book.current.sealing !== null) await finish();
  }

  async function seal(): Promise<void> {
    await finishOld();
    if (book.current.hot.lines === 0) return;
    await rotate();
    await finish();
  }

  function isDue(nowMs: number): boolean {
    const { hot, sealing } = book.current;
    if (sealing !== null) return true;
    const old = hot.sinceMs !== null && nowMs - hot.sinceMs >= options.ageMs;
    return hot.lines >= options.lines || hot.characters >= options.characters || old;
  }

  return {
    ...{ underway, alone, finishOld },
    seal: () => alone(seal),
    look(nowMs) {
      if (looking || performance.now() < notBeforeMs || !isDue(nowMs)) return;
      looking = true;
      alone(seal)
        .then(
          () => deps.onEnded(true),
          (error: unknown) => {
            notBeforeMs = performance.now() + RETRY_MS;
            deps.onFailed(error);
            deps.onEnded(false);
          },
        )
        .finally(() => {
          looking = false;
        });
    },
  };
}

/**
 * The database waits for its own threads without sleeping: with two, sealing takes a third more of the processor and is not
 * done sooner where lines go on coming. Reads have the others back afterwards.
 */
async function onOneThread<T>(connection: DuckDBConnection, threads: number, work: () => Promise<T>): Promise<T> {
  await connection.run('SET GLOBAL threads = 1');
  try {
    return await work();
  } finally {
    // An interruption may still be on its way; the next sealing sets it too.
    await connection.run(`SET GLOBAL threads = ${integer(threads)}`).catch(() => undefined);
  }
}

function withSegment(layout: Layout, segment: Segment | null): Layout {
  if (segment === null) return layout;
  const segments = [...layout.segments, segment].sort((a, b) => a.minOrdinal - b.minOrdinal);
  return { ...layout, segments };
}
