import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { whenReady } from '../redis-connection.ts';
import { back, type LogRow, rowOf } from './read-page.ts';

/** The options of winston's own `logger.query`. */
export interface WinstonQuery {
  from?: Date | number | string;
  until?: Date | number | string;
  limit?: number;
  rows?: number;
  start?: number;
  order?: 'asc' | 'desc';
  fields?: string[];
}

const DAY_MS = 86_400_000;
const MAX_LINES = 10_000;

/** Lines of all levels between two times, merged by their ids: what `logger.query(options, callback)` answers. */
export async function queryAllLevels(redis: Redis, keys: string[], options: WinstonQuery): Promise<object[]> {
  const { start = 0, order = 'desc', fields } = options;
  const rows = Math.min(options.rows ?? options.limit ?? 10, MAX_LINES);
  const untilMs = msOf(options.until, Date.now());
  const fromMs = msOf(options.from, untilMs - DAY_MS);
  const wanted = Math.min(start + rows, MAX_LINES);
  const read = (key: string) =>
    order === 'desc'
      ? back(redis, key, String(untilMs), wanted, String(fromMs))
      : (redis.xrange(key, String(fromMs), String(untilMs), 'COUNT', wanted) as ReturnType<typeof back>);
  const found = (await Promise.all(keys.map(read))).flat().map(rowOf);
  const sign = order === 'desc' ? -1 : 1;
  found.sort((a, b) => sign * compareIds(a.id, b.id));
  return found.slice(start, start + rows).map((row) => loggedOf(row, fields));
}

/** As winston's own transports answer: the fields beside level and message, and a timestamp. */
export function loggedOf(row: LogRow, wanted?: string[]): Record<string, unknown> {
  const { id, tsMs, level, message, fields } = row;
  const all = { timestamp: new Date(tsMs).toISOString(), ...fields, level, message, id };
  if (wanted === undefined) return all;
  return Object.fromEntries(Object.entries(all).filter(([key]) => wanted.includes(key)));
}

function msOf(time: Date | number | string | undefined, otherwise: number): number {
  const ms = time === undefined ? Number.NaN : new Date(time).getTime();
  return Number.isFinite(ms) ? Math.max(0, ms) : otherwise;
}

function compareIds(a: string, b: string): number {
  const [aMs, aN] = a.split('-').map(Number) as [number, number];
  const [bMs, bN] = b.split('-').map(Number) as [number, number];
  return aMs - bMs || aN - bN;
}

const BLOCK_MS = 1_000;
const RETRY_MS = 500;

/**
 * What `logger.stream()` answers: `log` for every line that any program adds to these streams from now on (or from the
 * newest `start` on), `error` once when Redis goes away; it goes on behind the last line it told. `destroy()` ends it.
 */
export function followLevels(open: () => Redis, keys: string[], start: number | null): EventEmitter & Destroyable {
  const redis = open();
  const from = new Map<string, string>();
  let isAway = false;
  let ended = false;

  async function begin(): Promise<void> {
    for (const key of keys) {
      if (from.has(key)) continue;
      const newest = await back(redis, key, '+', (start ?? 0) + 1);
      // The entry before the first that is told; the whole stream when it has no more than that.
      from.set(key, newest.length > (start ?? 0) ? newest.at(-1)![0] : '0-0');
    }
  }
  async function run(): Promise<void> {
    while (!ended) {
      try {
        await whenReady(redis);
        await begin();
        const ids = keys.map((key) => from.get(key)!);
        const answer = await redis.xread('COUNT', 500, 'BLOCK', BLOCK_MS, 'STREAMS', ...keys, ...ids);
        isAway = false;
        for (const [key, entries] of (answer ?? []) as [string, Parameters<typeof rowOf>[0][]][]) {
          for (const entry of entries) {
            from.set(key, entry[0]);
            if (!ended) out.emit('log', loggedOf(rowOf(entry)));
          }
        }
      } catch (error) {
        if (ended) return;
        if (!isAway && out.listenerCount('error') > 0) out.emit('error', error);
        isAway = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }
  const out = Object.assign(new EventEmitter(), {
    destroy() {
      ended = true;
      redis.disconnect();
    },
  });
  void run();
  return out;
}

export interface Destroyable {
  destroy(): void;
}
