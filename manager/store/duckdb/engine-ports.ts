import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConnectionOptions } from './connections.ts';

export interface EngineOptions extends ConnectionOptions {
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
  /**
   * Runs long work that changes nothing in the file, one after the other and on a connection of its own: neither writes
   * nor reads wait for it.
   */
  aside<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  /** Breaks off the work aside that runs; it rejects. */
  interruptAside(): void;
  /** Resolves when the reads that run now have ended. */
  readsEnded(): Promise<void>;
  /**
   * Works the log into the file, in turn with the writes: only then are deleted rows free room. While somebody reads the
   * tables it does nothing.
   */
  checkpoint(): Promise<void>;
  /**
   * Runs work on the file itself while it is closed, in turn with the writes; reads wait for it. False when a read takes
   * long, and nothing was done. The next write or read opens the file again.
   */
  whileClosed(work: () => Promise<unknown>): Promise<boolean>;
  close(): Promise<void>;
}

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  limitMs?: number;
}
