import type { Redis } from 'ioredis';
import { WebvirtError } from '../../common/errors.ts';
import { infoMatcher } from '../info-matcher.ts';
import type { PlainInfo } from '../plain-info.ts';

/** A line with its id: Redis gave it when the line came in, and it grows. */
export interface LogRow extends PlainInfo {
  id: string;
}

export interface PageRequest {
  /** Whose stream is read; `info` when absent. */
  level?: string;
  /** How many of the newest are left out, or the `next` of the page before. 0 when absent. */
  start?: number | string;
  /** 50 when absent, at most 1,000. */
  rows?: number;
  /** Filter in the `q` language. */
  q?: string;
}

export interface LogPage {
  /** Newest first. */
  rows: LogRow[];
  /** What `start` takes for the next older page; null at the end. */
  next: string | null;
  /** Lines of the level that match. */
  total: number;
  /** False when the stream is so long that the filter did not see all of it: `total` is a lower bound. */
  complete: boolean;
}

type StreamEntry = [id: string, values: string[]];

const MAX_ROWS = 1_000;
const CHUNK_LINES = 1_000;
/** A filter looks at so many lines of one level at most. */
const LIMIT_SCAN_LINES = 200_000;
const CURSOR = /^\d{1,20}-\d{1,20}$/;

/** One page of one level, newest first. Throws `bad-query`, `bad-request`, or the error of Redis. */
export async function readPage(redis: Redis, key: string, request: PageRequest): Promise<LogPage> {
  const { start = 0, rows = 50, q } = request;
  if (!Number.isInteger(rows) || rows < 1 || rows > MAX_ROWS)
    throw new WebvirtError('bad-request', `rows: a whole number from 1 to ${MAX_ROWS}.`);
  if (typeof start === 'string' ? !CURSOR.test(start) : !Number.isInteger(start) || start < 0)
    throw new WebvirtError('bad-request', 'start: a number of lines, or the next of a page before.');
  const matches = infoMatcher(q);
  return matches === null ? plainPage(redis, key, start, rows) : filteredPage(redis, key, start, rows, matches);
}

async function plainPage(redis: Redis, key: string, start: number | string, rows: number): Promise<LogPage> {
  const total = await redis.xlen(key);
  let end = typeof start === 'string' ? `(${start}` : '+';
  let skip = typeof start === 'string' ? 0 : start;
  // Far back by number: passed over in chunks, so that no answer is large.
  while (skip >= CHUNK_LINES) {
    const chunk = await back(redis, key, end, CHUNK_LINES);
    if (chunk.length < CHUNK_LINES) return { rows: [], next: null, total, complete: true };
    end = `(${chunk.at(-1)![0]}`;
    skip -= CHUNK_LINES;
  }
  const found = (await back(redis, key, end, skip + rows + 1)).slice(skip);
  const page = found.slice(0, rows).map(rowOf);
  return { rows: page, next: found.length > rows ? page.at(-1)!.id : null, total, complete: true };
}

async function filteredPage(
  redis: Redis,
  key: string,
  start: number | string,
  rows: number,
  matches: (info: PlainInfo) => boolean,
): Promise<LogPage> {
  const page: LogRow[] = [];
  let total = 0;
  let more = false;
  let end = '+';
  for (let seen = 0; seen < LIMIT_SCAN_LINES; seen += CHUNK_LINES) {
    const chunk = await back(redis, key, end, CHUNK_LINES);
    for (const entry of chunk) {
      const row = rowOf(entry);
      if (!matches(row)) continue;
      total += 1;
      const isBehind = typeof start === 'string' ? isOlder(row.id, start) : total > start;
      if (!isBehind) continue;
      if (page.length < rows) page.push(row);
      else more = true;
    }
    if (chunk.length < CHUNK_LINES) return { rows: page, next: more ? page.at(-1)!.id : null, total, complete: true };
    end = `(${chunk.at(-1)![0]}`;
  }
  return { rows: page, next: more ? page.at(-1)!.id : null, total, complete: false };
}

export function back(redis: Redis, key: string, end: string, count: number, from = '-'): Promise<StreamEntry[]> {
  return redis.xrevrange(key, end, from, 'COUNT', count) as Promise<StreamEntry[]>;
}

function isOlder(id: string, than: string): boolean {
  const [ms, n] = id.split('-').map(BigInt) as [bigint, bigint];
  const [thanMs, thanN] = than.split('-').map(BigInt) as [bigint, bigint];
  return ms < thanMs || (ms === thanMs && n < thanN);
}

/** What is not ours in the stream is shown as it is. */
export function rowOf([id, values]: StreamEntry): LogRow {
  const text = values[values.indexOf('line') + 1] ?? '';
  try {
    return { ...(JSON.parse(text) as PlainInfo), id };
  } catch {
    return { id, tsMs: Number(id.split('-')[0]), level: 'unknown', message: values.join(' ') };
  }
}
