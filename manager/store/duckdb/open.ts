import type { DuckDBConnection } from '@duckdb/node-api';
import { noStoreFailpoint } from '../failpoint.ts';
import { columnsOf, sortMsOf } from '../line-columns.ts';
import type { CommittedBatch, LineBatch, LineStore, OnUnreadable, SampleStore } from '../ports.ts';
import { countByTime, countByValue, countLines } from './counts.ts';
import { sizeOf } from './durable-file.ts';
import { type EngineOptions, openEngine, type ReadOptions } from './engine.ts';
import { fillableParts, lastFilledOrdinal, noteFills, noteGaps, prepareFills, readLedger } from './fills.ts';
import { extentOf, type HotTable } from './layout.ts';
import { Ledger } from './ledger.ts';
import { LineChunks } from './line-chunks.ts';
import { runQuery } from './line-rows.ts';
import { findLine, linesAround, linesSince } from './neighbours.ts';
import { Origins } from './origins.ts';
import { createQuietCheckpoint } from './quiet-checkpoint.ts';
import { type Reading, readTogether } from './reading.ts';
import { removeUnfinished } from './renew-file.ts';
import { type Deleted, retainLines } from './retain.ts';
import type { RetentionRule } from './retention.ts';
import { createSampleStore, deleteOldSamples } from './samples.ts';
import { openSealed, type SealedOptions } from './sealed.ts';
import { searchNewest } from './search.ts';

/** A search that goes back through everything, for a person who waits and can cancel it. */
const LIMIT_WHOLE_SEARCH_MS = 120_000;

export interface LineStoreOptions extends EngineOptions, SealedOptions {}

/** The file of lines and samples. */
export interface OpenLineStore {
  lines: LineStore;
  samples: SampleStore;
  /**
   * Deletes what the rule no longer keeps, for its size the oldest file at a time; answers what was deleted, for the
   * record. `freedBytes` is 0 while a search still looks at what was deleted: the room is free some writes later.
   */
  retain(rule: RetentionRule): Promise<Deleted | null>;
  /** Writes all lines that are not sealed yet to a file. It is done by itself in time: this is for tests and tools. */
  seal(): Promise<void>;
  /** Makes small sealed files one, and the file of new lines smaller when it is mostly free. Also done by itself. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens (or makes) the file. Lines and their cursors are one transaction, synced to disk before `append` resolves.
 * After an error of the disk the next call opens the file again: no restart is needed when there is space again.
 * Throws `store-unavailable` when a newer program wrote the file.
 */
export async function openLineStore(path: string, options: LineStoreOptions = {}): Promise<OpenLineStore> {
  const ledger = new Ledger();
  const origins = new Origins();
  let chunks = new LineChunks();
  let newestOrdinal = 0;
  const sealed = openSealed(path, options);
  const { book } = sealed;

  await removeUnfinished(path);
  const engine = await openEngine(path, options, async (connection) => {
    await prepareFills(connection);
    await ledger.load(connection);
    // A chunk that a failed append left behind is in an unknown state.
    chunks = new LineChunks();
    // The ledger counts on when the newest lines themselves were deleted by retention.
    const [end] = await runQuery(connection, 'SELECT max(ordinal + line_count - 1) FROM ledger', []);
    newestOrdinal = Math.max(Number(end?.[0] ?? 0), await lastFilledOrdinal(connection));
    await sealed.load(connection);
    await origins.load(connection, book.current.sealing === null ? ['lines'] : ['lines', 'lines_sealing']);
  });
  sealed.start(engine);

  // Not while lines are sealed: they leave the log soon, and who writes may only have been held back.
  const quiet = createQuietCheckpoint(`${path}.wal`, async () => {
    if (book.current.sealing === null) await engine.checkpoint();
  });
  const read = <T>(work: (reading: Reading) => Promise<T>, given?: ReadOptions, onUnreadable?: OnUnreadable) =>
    engine.read(
      (connection) =>
        readTogether(connection, sealed, async (reading) => {
          const answer = await work(reading);
          if (reading.unreadable().size > 0) onUnreadable?.(reading.unreadable());
          return answer;
        }),
      given,
    );

  async function commit(connection: DuckDBConnection, batches: LineBatch[]): Promise<() => CommittedBatch[]> {
    const move = ledger.check(batches);
    const first = newestOrdinal + 1;
    await chunks.append(connection, batches, first, await origins.of(connection, batches));
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
      widen(book.current.hot, batch);
      return { ...batch, ordinal };
    });
  }

  async function fill(connection: DuckDBConnection, batch: LineBatch): Promise<LineBatch[]> {
    const parts = await fillableParts(connection, batch);
    if (parts.length === 0) return parts;
    await chunks.append(connection, parts, newestOrdinal + 1, await origins.of(connection, parts));
    await noteFills(connection, parts, newestOrdinal + 1);
    return parts;
  }

  const lines: LineStore = {
    async append(batches) {
      if (batches.length === 0) return [];
      await sealed.room.wait(batches.reduce((sum, batch) => sum + columnsOf(batch).n, 0));
      let done: (() => CommittedBatch[]) | null = null;
      const committed = await engine.write(
        async (connection) => {
          done = await commit(connection, batches);
        },
        () => done!(),
      );
      sealed.look();
      return committed;
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
    query: (filter, page) => read((reading) => searchNewest(reading, filter, page, Date.now), { signal: page.signal }),
    search: (filter, wanted) =>
      read((reading) => searchNewest(reading, filter, { ...wanted, limitMs: Infinity }, Date.now), {
        signal: wanted.signal,
        limitMs: LIMIT_WHOLE_SEARCH_MS,
      }),
    count: (filter, signal, onUnreadable) => read((reading) => countLines(reading, filter), { signal }, onUnreadable),
    get: (id) => read(async (reading) => (await findLine(reading, id))?.line ?? null),
    context: (id, around) => read((reading) => linesAround(reading, id, around, newestOrdinal)),
    histogram: (filter, range, signal, onUnreadable) =>
      read((reading) => countByTime(reading, filter, range), { signal }, onUnreadable),
    facets: (filter, field, limit, signal, onUnreadable) =>
      read((reading) => countByValue(reading, filter, field, limit), { signal }, onUnreadable),
    newestOrdinal: () => newestOrdinal,
    room: sealed.room,
    since: (filter, ordinal, limit, signal, onUnreadable) =>
      read((reading) => linesSince(reading, filter, ordinal, limit, newestOrdinal), { signal }, onUnreadable),
    ledger: (agent) => engine.read((reader) => readLedger(reader, agent)),
    fill: (batch) => engine.write((connection) => fill(connection, batch), numbered),
    async stats() {
      const { hot, sealing, segments } = book.current;
      const inFile = (await sizeOf(path)) + (await sizeOf(`${path}.wal`));
      return {
        lines: segments.reduce((sum, segment) => sum + segment.lines, hot.lines + (sealing?.lines ?? 0)),
        bytesOnDisk: segments.reduce((sum, segment) => sum + segment.bytes, inFile),
        oldestMs: extentOf(book.current)?.oldestMs ?? null,
        unsealedLines: hot.lines + (sealing?.lines ?? 0),
        heldBackMs: sealed.room.heldBackMs(),
        ...sealed.condition(),
      };
    },
  };

  return {
    lines,
    samples: createSampleStore(engine),
    retain: (rule) =>
      sealed.alone(async () => {
        // A disk without room may be why it was broken off: then to delete is what helps.
        await sealed.finishOld().catch(() => undefined);
        // Also where the lines lie elsewhere, and none of them goes.
        await engine.write((writer) => deleteOldSamples(writer, rule.receivedBeforeMs));
        const { shelf, guard, folder, underway, removeLater } = sealed;
        const failpoint = options.failpoint ?? noStoreFailpoint;
        return retainLines(rule, { engine, book, shelf, guard, folder, underway, removeLater, failpoint });
      }),
    seal: () => sealed.seal(),
    tidy: () => sealed.tidy(),
    async close() {
      quiet.stop();
      await sealed.stop();
      await engine.close();
    },
  };
}

/** Called right after the commit: who reads from now on finds the lines. */
function widen(hot: HotTable, batch: LineBatch): void {
  const columns = columnsOf(batch);
  let { oldestMs, newestMs } = hot.extent ?? { oldestMs: Infinity, newestMs: -Infinity };
  for (const time of columns.tsMs) {
    const sortMs = sortMsOf(time, batch);
    if (sortMs < oldestMs) oldestMs = sortMs;
    if (sortMs > newestMs) newestMs = sortMs;
  }
  hot.extent = { oldestMs, newestMs };
  hot.lines += columns.n;
  hot.sinceMs = Math.min(hot.sinceMs ?? Infinity, batch.receivedMs);
  for (const message of columns.message) hot.characters += message.length;
  for (const fields of columns.fields ?? []) hot.characters += fields?.length ?? 0;
}
