import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import winston from 'winston';
import TransportStream from 'winston-transport';
import type { Info } from './line-of-info.ts';
import { plainInfo } from './plain-info.ts';
import { openRedis, type RedisAddress, whenReady } from './redis-connection.ts';
import { type LogPage, type PageRequest, readPage } from './redis-transport/read-page.ts';
import { createWaitQueue, type WaitQueue } from './redis-transport/wait-queue.ts';
import { type Destroyable, followLevels, queryAllLevels, type WinstonQuery } from './redis-transport/winston-query.ts';
import { writeLines } from './redis-transport/write-script.ts';
import { createWriter, type Writer } from './redis-transport/writer.ts';

export type { LogPage, LogRow, PageRequest } from './redis-transport/read-page.ts';

export interface RedisTransportOptions extends TransportStream.TransportStreamOptions, Partial<RedisAddress> {
  /** Keys are `<prefix>:<level>`; `log` when absent. On a cluster put it in braces: `{log}`. */
  prefix?: string;
  /** About how many lines each level keeps, the newest; 10,000 when absent. */
  maxLines?: number;
  /** How many lines wait at most while Redis is away; 10,000 when absent. Beyond it the oldest go, counted. */
  queueLines?: number;
  /** The same in characters; 16 Mi when absent. */
  queueChars?: number;
  /** Longest wait for one answer of Redis, milliseconds; 5,000 when absent. */
  commandLimitMs?: number;
  /** How long `end()` waits for Redis to take what is queued, milliseconds; 3,000 when absent. */
  flushLimitMs?: number;
  /** Wall clock, milliseconds. */
  now?: () => number;
}

/**
 * A winston transport that keeps the newest lines of each level in a capped stream of Redis, for any program of Node.
 * A call never waits for Redis and never throws; `logged` is emitted once the line is in Redis, `warn` once for each
 * outage. `logger.end()` writes what is queued before `finish`.
 */
export class RedisTransport extends TransportStream {
  readonly name = 'redis';
  readonly #options: RedisTransportOptions;
  readonly #redis: Redis;
  readonly #queue: WaitQueue;
  readonly #writer: Writer;
  readonly #prefix: string;
  readonly #now: () => number;
  #ended: Promise<void> | null = null;

  constructor(options: RedisTransportOptions = {}) {
    super(options);
    this.#options = options;
    this.#prefix = options.prefix ?? 'log';
    this.#now = options.now ?? Date.now;
    this.#redis = this.#open('log writer');
    this.#queue = createWaitQueue({
      lines: options.queueLines ?? 10_000,
      chars: options.queueChars ?? 16 * 1024 * 1024,
    });
    const keys = {
      writer: `${this.#prefix}:writer:${randomUUID()}`,
      stream: (level: string) => this.#key(level),
      maxLines: options.maxLines ?? 10_000,
    };
    this.#writer = createWriter({
      queue: this.#queue,
      send: async (lines) => {
        await whenReady(this.#redis);
        return writeLines(this.#redis, keys, lines);
      },
      onTrouble: (error) => {
        // One that hangs is left, so that its late answers cannot be waited for behind it.
        if (/timed out/i.test(error.message)) this.#redis.disconnect(true);
        this.#warn(error);
      },
      onRefused: (line, reason) => this.#warn(new Error(`A line of level ${line.level} was refused: ${reason}`)),
      onWritten: (info) => this.emit('logged', info),
    });
    this.#redis.on('ready', () => this.#writer.wake());
  }

  override log(info: Info, next: () => void): void {
    try {
      if (this.#ended !== null) return;
      const plain = plainInfo(info, this.#now());
      const kept = this.listenerCount('logged') > 0 ? info : null;
      this.#queue.push({ level: plain.level, tsMs: plain.tsMs, json: JSON.stringify(plain), info: kept });
      this.#writer.kick();
    } catch (error) {
      this.#warn(error as Error);
    } finally {
      next();
    }
  }

  /** Lines that wait for Redis, and those given up since the start. */
  stats(): { waiting: number; dropped: number } {
    return { waiting: this.#queue.length, dropped: this.#queue.droppedTotal };
  }

  /** One page of one level, newest first. Rejects with `bad-query`, `bad-request`, or the error of Redis. */
  query(request: PageRequest): Promise<LogPage>;
  /** winston's own `logger.query`: lines of all levels between two times. */
  query(options: WinstonQuery, callback: (error: Error | null, found?: object[]) => void): void;
  query(
    request: PageRequest & WinstonQuery,
    callback?: (error: Error | null, found?: object[]) => void,
  ): Promise<LogPage> | undefined {
    const redis = this.#redis;
    if (callback === undefined)
      return whenReady(redis).then(() => readPage(redis, this.#key(request.level ?? 'info'), request));
    const found = whenReady(redis).then(() => queryAllLevels(redis, this.#levelKeys(), request));
    found.then(
      (found) => callback(null, found),
      (error: Error) => callback(error),
    );
    return undefined;
  }

  /** winston's own `logger.stream`: emits `log` for every line that any program adds to these streams. */
  stream(options: { start?: number } = {}): EventEmitter & Destroyable {
    const { start } = options;
    const last = start === undefined || start === -1 ? null : start;
    return followLevels(() => this.#open('log reader'), this.#levelKeys(), last);
  }

  /** Resolves with true when everything logged so far is in Redis, with false after `limitMs`. */
  flush(limitMs = this.#options.flushLimitMs ?? 3_000): Promise<boolean> {
    return this.#writer.flush(limitMs);
  }

  override _final(callback: (error?: Error | null) => void): void {
    void this.#end().then(() => callback());
  }

  /** Called by winston when the transport is taken out of its logger. Writes what is queued, then lets go of Redis. */
  override close(): void {
    void this.#end();
  }

  #end(): Promise<void> {
    this.#ended ??= this.#letGo();
    return this.#ended;
  }

  async #letGo(): Promise<void> {
    if (!(await this.flush())) {
      const { waiting } = this.stats();
      this.#warn(new Error(`${waiting} or more log lines did not reach Redis before the end`));
    }
    this.#writer.stop();
    this.#redis.disconnect();
  }

  #warn(error: Error): void {
    this.emit('warn', error);
  }

  #key(level: string): string {
    return `${this.#prefix}:${level}`;
  }

  #levelKeys(): string[] {
    const { levels } = this as { levels?: Record<string, number> };
    return Object.keys(levels ?? winston.config.npm.levels).map((level) => this.#key(level));
  }

  #open(name: string): Redis {
    const { url = 'redis://127.0.0.1:6379', username, password, commandLimitMs = 5_000 } = this.#options;
    return openRedis({ url, username, password }, { name, commandLimitMs });
  }
}
