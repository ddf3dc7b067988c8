import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { isWebvirtError, WebvirtError } from '../../../common/errors.ts';
import { prepareSchema } from './schema.ts';

export interface EngineOptions {
  /** Threads of the database; 2 leaves a small machine to the rest of the manager. */
  threads?: number;
  memoryLimitBytes?: number;
  /** Size of the write-ahead log at which it is worked into the file. Larger: rarer stalls, longer start after a kill. */
  checkpointBytes?: number;
  /** How many reads may run at the same time. */
  readers?: number;
  /** A read that takes longer is interrupted and answered with `timeout`. */
  readTimeoutMs?: number;
}

/** One DuckDB file: one writer, some readers that never wait for it, and a way back after an error that broke it. */
export interface Engine {
  /**
   * Runs one write at a time, in the order of the calls, inside a transaction. `committed` runs right after the
   * commit, before any other write, and its result is the answer.
   */
  write<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  write<T, R>(work: (connection: DuckDBConnection) => Promise<T>, committed: (result: T) => R): Promise<R>;
  /** `signal` interrupts it: it rejects with `op-cancelled`. `limitMs` instead of the engine's own limit. */
  read<T>(work: (connection: DuckDBConnection) => Promise<T>, options?: ReadOptions): Promise<T>;
  /** Works the log into the file, in turn with the writes: only then are deleted rows free room. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  limitMs?: number;
}

interface Connections {
  instance: DuckDBInstance;
  writer: DuckDBConnection;
  readers: DuckDBConnection[];
}

const READERS = 3;
const INTERRUPT_EVERY_MS = 20;

/**
 * Opens the file. `onOpened` is called with the writer after the first and every later opening, before anything else
 * runs: what is held in memory must be read again from what is really on the disk.
 */
export async function openEngine(
  path: string,
  options: EngineOptions,
  onOpened: (connection: DuckDBConnection) => Promise<void>,
): Promise<Engine> {
  const readTimeoutMs = options.readTimeoutMs ?? 15_000;
  const limitReads = options.readers ?? READERS;
  let open: Connections | null = await connectAll(path, options, onOpened);
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();
  const active = new Set<DuckDBConnection>();
  const waiting: (() => void)[] = [];
  let drained: (() => void) | null = null;

  /** Closes everything. The file may be opened again only when no reader holds the old database any more. */
  async function shut(): Promise<void> {
    const old = open;
    open = null;
    if (old === null) return;
    if (active.size > 0) {
      const timer = setInterval(() => {
        for (const connection of active) connection.interrupt();
      }, INTERRUPT_EVERY_MS);
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
      clearInterval(timer);
      drained = null;
    }
    disconnectAll(old);
  }

  async function transaction<T, R>(
    work: (connection: DuckDBConnection) => Promise<T>,
    committed?: (result: T) => R,
  ): Promise<T | R> {
    if (closed) throw new WebvirtError('store-unavailable', 'The line store is closed.');
    open ??= await connectAll(path, options, onOpened);
    const { writer } = open;
    try {
      await writer.run('BEGIN');
      const result = await work(writer);
      await writer.run('COMMIT');
      return committed === undefined ? result : committed(result);
    } catch (error) {
      await writer.run('ROLLBACK').catch(() => undefined);
      // A failed commit may leave the open database refusing everything, and only the disk knows whether the
      // transaction is there: the next write starts from the file.
      if (!isWebvirtError(error)) await shut();
      throw error;
    }
  }

  function write<T, R>(work: (connection: DuckDBConnection) => Promise<T>, committed?: (result: T) => R) {
    const result = tail.then(() => transaction(work, committed));
    tail = result.catch(() => undefined);
    return result;
  }

  async function checkpoint(): Promise<void> {
    if (closed || open === null) return;
    try {
      await open.writer.run('CHECKPOINT');
    } catch (error) {
      // As after a failed commit: the file is what is known to be right.
      await shut();
      throw error;
    }
  }

  async function timed<T>(
    connection: DuckDBConnection,
    work: (c: DuckDBConnection) => Promise<T>,
    { signal, limitMs = readTimeoutMs }: ReadOptions,
  ): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      connection.interrupt();
    }, limitMs);
    const interrupt = () => connection.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      signal?.throwIfAborted();
      return await work(connection);
    } catch (error) {
      if (signal?.aborted) throw new WebvirtError('op-cancelled', 'The search was cancelled.');
      if (late) {
        throw new WebvirtError(
          'timeout',
          `This search took longer than ${limitMs / 1000} s; make its time range smaller.`,
        );
      }
      if (!/interrupt/i.test(String(error))) throw error;
      throw new WebvirtError('store-unavailable', 'The store of lines is being opened again; try again in a moment.');
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', interrupt);
    }
  }

  return {
    write: write as Engine['write'],
    checkpoint() {
      const result = tail.then(checkpoint);
      tail = result.catch(() => undefined);
      return result;
    },
    async read(work, options = {}) {
      while (open === null || active.size >= limitReads) {
        // Opening is the writer's work: two openings of one file at the same time would harm it.
        if (open === null) {
          await write(async () => undefined).catch((error: unknown) => {
            // No reader finishes now that would wake the next one: it is told the same.
            waiting.shift()?.();
            throw error;
          });
        } else await new Promise<void>((resolve) => waiting.push(resolve));
      }
      const owner = open;
      const connection = owner?.readers.pop();
      if (connection === undefined) throw new WebvirtError('store-unavailable', 'The line store is closed.');
      active.add(connection);
      try {
        return await timed(connection, work, options);
      } finally {
        active.delete(connection);
        owner!.readers.push(connection);
        if (active.size === 0) drained?.();
        waiting.shift()?.();
      }
    },
    async close() {
      await tail;
      closed = true;
      await shut();
    },
  };
}

async function connectAll(
  path: string,
  options: EngineOptions,
  onOpened: (connection: DuckDBConnection) => Promise<void>,
): Promise<Connections> {
  const instance = await DuckDBInstance.create(path, {
    threads: String(options.threads ?? 2),
    memory_limit: `${Math.round((options.memoryLimitBytes ?? 1024 ** 3) / 1024 ** 2)}MiB`,
    wal_autocheckpoint: `${Math.round((options.checkpointBytes ?? 64 * 1024 ** 2) / 1024 ** 2)}MiB`,
    // The manager never loads code or data from elsewhere through a query.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const made: DuckDBConnection[] = [];
  try {
    const writer = await instance.connect();
    made.push(writer);
    await prepareSchema(writer, path);
    await onOpened(writer);
    const readers: DuckDBConnection[] = [];
    for (let i = 0; i < (options.readers ?? READERS); i += 1) {
      const connection = await instance.connect();
      made.push(connection);
      readers.push(connection);
    }
    return { instance, writer, readers };
  } catch (error) {
    for (const connection of made) connection.closeSync();
    instance.closeSync();
    throw error;
  }
}

function disconnectAll({ instance, writer, readers }: Connections): void {
  writer.closeSync();
  for (const connection of readers) connection.closeSync();
  instance.closeSync();
}
