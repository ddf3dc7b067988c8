import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { columnsOf, sortMsOf } from '../line-columns.ts';
import type { CommittedBatch, LineBatch, LineStore, SampleStore } from '../ports.ts';
import { countByTime, countByValue, countLines } from './counts.ts';
import { type EngineOptions, openEngine } from './engine.ts';
import { fillableParts, lastFilledOrdinal, noteFills, noteGaps, prepareFills, readLedger } from './fills.ts';
import { Ledger } from './ledger.ts';
import { LineChunks } from './line-chunks.ts';
import { runQuery } from './line-rows.ts';
import { findLine, linesAround, linesSince } from './neighbours.ts';
import { createQuietCheckpoint } from './quiet-checkpoint.ts';
import { deleteOldest, type RetentionRule, usedBytes } from './retention.ts';
import { createSampleStore } from './samples.ts';
import { type Extent, searchNewest } from './search.ts';

/** A search that goes back through everything, for a person who waits and can cancel it. */
const LIMIT_WHOLE_SEARCH_MS = 120_000;

export interface LineStoreOptions extends EngineOptions {
  /** Called at named points of a commit; tests end the process there. */
  failpoint?: (name: 'M2' | 'M3') => void;
}

/** The file of lines and samples. */
export interface OpenLineStore {
  lines: LineStore;
  samples: SampleStore;
  /**
   * Deletes what the rule no longer keeps, at most a tenth for its size; answers what was deleted, for the record.
   * `freedBytes` is 0 while a search still looks at what was deleted: the room is free some writes later.
   */
  retain(rule: RetentionRule): Promise<{ lines: number; toMs: number; freedBytes: number } | null>;
  close(): Promise<void>;
}

/**
 * Opens (or makes) the file. Lines and their cursors are one transaction, synced to disk before `append` resolves.
 * After an error of the disk the next call opens the file again: no restart is needed when there is space again.
 * Throws `store-unavailable` when a newer program wrote the file.
 */
export async function openLineStore(path: string, options: LineStoreOptions = {}): Promise<OpenLineStore> {
  const ledger = new Ledger();
  let chunks = new LineChunks();
  let newestOrdinal = 0;
  let extent: Extent | null = null;

  const engine = await openEngine(path, options, async (connection) => {
    await prepareFills(connection);
    await ledger.load(connection);
    // A chunk that a failed append left behind is in an unknown state.
    chunks = new LineChunks();
    // The ledger counts on when the newest lines themselves were deleted by retention.
    const [ends] = await runQuery(
      connection,
      `SELECT (SELECT max(ordinal + line_count - 1) FROM ledger), min(sort_ms), max(sort_ms) FROM lines`,
      [],
    );
    newestOrdinal = Math.max(Number(ends?.[0] ?? 0), await lastFilledOrdinal(connection));
    const [oldestMs, newestMs] = [ends?.[1] ?? null, ends?.[2] ?? null];
    extent = oldestMs === null ? null : { oldestMs: Number(oldestMs), newestMs: Number(newestMs) };
  });

  const quiet = createQuietCheckpoint(`${path}.wal`, () => engine.checkpoint());

  async function commit(connection: DuckDBConnection, batches: LineBatch[]): Promise<() => CommittedBatch[]> {
    const move = ledger.check(batches);
    const first = newestOrdinal + 1;
    await chunks.append(connection, batches, first);
    options.failpoint?.('M2');
    await ledger.append(connection, batches, first);
    await noteGaps(connection, batches);
    options.failpoint?.('M3');
    return () => {
      quiet.written();
      move();
      return numbered(batches);
    };
  }

  function numbered(batches: LineBatch[]): CommittedBatch[] {
    return batches.map((batch) => {
      const ordinal = newestOrdinal + 1;
      const columns = columnsOf(batch);
      newestOrdinal += columns.n;
      extent = widened(extent, columns.tsMs, batch);
      return { ...batch, ordinal };
    });
  }

  async function fill(connection: DuckDBConnection, batch: LineBatch): Promise<LineBatch[]> {
    const parts = await fillableParts(connection, batch);
    if (parts.length === 0) return parts;
    await chunks.append(connection, parts, newestOrdinal + 1);
    await noteFills(connection, parts, newestOrdinal + 1);
    return parts;
  }

  const lines: LineStore = {
    async append(batches) {
      if (batches.length === 0) return [];
      let done: (() => CommittedBatch[]) | null = null;
      return engine.write(
        async (connection) => {
          done = await commit(connection, batches);
        },
        () => done!(),
      );
    },
    cursors: (agent) => Promise.resolve(ledger.cursors(agent)),
    hashAt: (agent, epoch, next) =>
      engine.read(async (reader) => {
        const where = 'WHERE agent = ? AND epoch = ? AND next = CAST(? AS BIGINT)';
        // What a gap was filled with ends at other places than the gap.
        const sql = `SELECT hash FROM ledger ${where} UNION ALL SELECT hash FROM fills ${where} AND hash <> '' LIMIT 1`;
        const values = [agent, epoch, String(next)];
        const [row] = await runQuery(reader, sql, [...values, ...values]);
        return row === undefined ? null : String(row[0]);
      }),
    query: (filter, page) =>
      engine.read((reader) => searchNewest(reader, filter, page, extent, Date.now), { signal: page.signal }),
    search: (filter, options) =>
      engine.read((reader) => searchNewest(reader, filter, { ...options, limitMs: Infinity }, extent, Date.now), {
        signal: options.signal,
        limitMs: LIMIT_WHOLE_SEARCH_MS,
      }),
    count: (filter, signal) => engine.read((reader) => countLines(reader, filter), { signal }),
    get: (id) => engine.read(async (reader) => (await findLine(reader, id))?.line ?? null),
    context: (id, around) => engine.read((reader) => linesAround(reader, id, around, newestOrdinal)),
    histogram: (filter, range, signal) => engine.read((reader) => countByTime(reader, filter, range), { signal }),
    facets: (filter, field, limit, signal) =>
      engine.read((reader) => countByValue(reader, filter, field, limit), { signal }),
    newestOrdinal: () => newestOrdinal,
    since: (filter, ordinal, limit, signal) =>
      engine.read((reader) => linesSince(reader, filter, ordinal, limit, newestOrdinal), { signal }),
    ledger: (agent) => engine.read((reader) => readLedger(reader, agent)),
    fill: (batch) => engine.write((connection) => fill(connection, batch), numbered),
    async stats() {
      const [row] = await engine.read((reader) => runQuery(reader, 'SELECT count(*) FROM lines', []));
      const bytesOnDisk = (await bytesOf(path)) + (await bytesOf(`${path}.wal`));
      return { lines: Number(row?.[0] ?? 0), bytesOnDisk, oldestMs: extent?.oldestMs ?? null };
    },
  };

  return {
    lines,
    samples: createSampleStore(engine),
    async retain(rule) {
      const deleted = await engine.write(
        (connection) => deleteOldest(connection, rule),
        (done) => {
          if (done !== null) extent = done.oldestLeftMs === null ? null : { ...extent!, oldestMs: done.oldestLeftMs };
          return done;
        },
      );
      if (deleted === null) return null;
      // Without it the file counts as full as before, and the next call would delete as much again for nothing.
      await engine.checkpoint();
      const { lines: count, toMs, usedBytes: before } = deleted;
      return { lines: count, toMs, freedBytes: Math.max(0, before - (await engine.read(usedBytes))) };
    },
    close() {
      quiet.stop();
      return engine.close();
    },
  };
}

function widened(extent: Extent | null, tsMs: number[], batch: LineBatch): Extent {
  let { oldestMs, newestMs } = extent ?? { oldestMs: Infinity, newestMs: -Infinity };
  for (const time of tsMs) {
    const sortMs = sortMsOf(time, batch);
    if (sortMs < oldestMs) oldestMs = sortMs;
    if (sortMs > newestMs) newestMs = sortMs;
  }
  return { oldestMs, newestMs };
}

async function bytesOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
