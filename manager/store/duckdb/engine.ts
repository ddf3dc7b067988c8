import { setTimeout as sleep } from 'node:timers/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isWebvirtError, WebvirtError } from '../../../common/errors.ts';
import { type Connections, connectAll, disconnectAll } from './connections.ts';
import type { Engine, EngineOptions, ReadOptions } from './engine-ports.ts';

export type { Engine, EngineOptions, ReadOptions } from './engine-ports.ts';

const INTERRUPT_EVERY_MS = 20;
/** So long the reads that run may take to end before the file is closed for work on it; the others wait. */
const LIMIT_READERS_MS = 1_000;
const LOOK_READERS_MS = 10;

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
  let open: Connections | null = await connectAll(path, options, onOpened);
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();
  const active = new Set<DuckDBConnection>();
  const waiting: (() => void)[] = [];
  const reads = new Set<Promise<unknown>>();
  let asideTail: Promise<unknown> = Promise.resolve();
  let drained: (() => void) | null = null;
  let paused: Promise<void> | null = null;

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
    if (open === null) {
      options.failpoint?.('M9');
      open = await connectAll(path, options, onOpened);
      options.failpoint?.('M9');
    }
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
      // A reader looks at the tables: nothing was changed, and the next quiet moment is soon.
      if (/cannot checkpoint/i.test(String(error))) return;
      // As after a failed commit: the file is what is known to be right.
      await shut();
      throw error;
    }
  }

  async function whileClosed(work: () => Promise<unknown>): Promise<boolean> {
    if (closed || open === null) return false;
    let resume = () => {};
    paused = new Promise((resolve) => {
      resume = resolve;
    });
    try {
      for (let ms = 0; active.size > 0 && ms < LIMIT_READERS_MS; ms += LOOK_READERS_MS) await sleep(LOOK_READERS_MS);
      if (active.size > 0) return false;
      await shut();
      await work();
      return true;
    } finally {
      paused = null;
      resume();
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
      const result = await work(connection);
      signal?.throwIfAborted();
      return result;
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

  async function read<T>(work: (c: DuckDBConnection) => Promise<T>, given: ReadOptions = {}): Promise<T> {
    while (open === null || paused !== null || open.readers.length === 0) {
      if (paused !== null) await paused;
      // Opening is the writer's work: two openings of one file at the same time would harm it.
      else if (open === null) {
        await write(async () => undefined).catch((error: unknown) => {
          // No reader finishes now that would wake the next one: it is told the same.
          waiting.shift()?.();
          throw error;
        });
      } else await new Promise<void>((resolve) => waiting.push(resolve));
    }
    const owner = open;
    const connection = owner.readers.pop()!;
    active.add(connection);
    try {
      return await timed(connection, work, given);
    } finally {
      active.delete(connection);
      owner.readers.push(connection);
      if (active.size === 0) drained?.();
      waiting.shift()?.();
    }
  }

  async function beside<T>(work: (c: DuckDBConnection) => Promise<T>): Promise<T> {
    if (open === null) await write(async () => undefined);
    const side = open?.side;
    if (side === undefined) throw new WebvirtError('store-unavailable', 'The line store is closed.');
    active.add(side);
    try {
      return await work(side);
    } finally {
      active.delete(side);
      if (active.size === 0) drained?.();
    }
  }

  return {
    write: write as Engine['write'],
    checkpoint() {
      const result = tail.then(checkpoint);
      tail = result.catch(() => undefined);
      return result;
    },
    whileClosed(work) {
      const result = tail.then(() => whileClosed(work));
      tail = result.catch(() => undefined);
      return result;
    },
    read(work, given) {
      const result = read(work, given);
      reads.add(result);
      const ended = () => void reads.delete(result);
      result.then(ended, ended);
      return result;
    },
    aside(work) {
      const result = asideTail.then(() => beside(work));
      asideTail = result.catch(() => undefined);
      return result;
    },
    interruptAside: () => open?.side.interrupt(),
    async readsEnded() {
      await Promise.allSettled(reads);
    },
    async close() {
      await tail;
      closed = true;
      await shut();
    },
  };
}
