import type { Line } from '../../common/model/line.ts';
import type { LineFilter } from '../store/ports.ts';
import type { TailStore } from './ports.ts';
import { entryOf } from './tail-queue.ts';

export const LIMIT_BACKLOG_LINES = 5_000;
const LIMIT_BACKLOG_BYTES = 8 * 1024 * 1024;
/** Pages that a viewer who was away for long is read forward; behind that it starts anew. */
const LIMIT_PAGES = 10;

/** Old lines that come before the live ones. */
export interface Backlog {
  /** Oldest first; null when none was asked for. */
  lines: Line[] | null;
  /** False when it goes on exactly where the viewer's position was. */
  fresh: boolean;
  /** Lines that were left out because they are too many. */
  skipped: number;
  bytes: number;
  /** Lines that arrived up to here are accounted for, except those for which `isMissing` says true. */
  upTo: number;
  isMissing(id: string): boolean;
}

/** What waits beside: the live lines that came while the store was read. */
export interface Waiting {
  /** True when lines were dropped from what waits: the store has them. */
  overflowed(): boolean;
  clear(): void;
}

/**
 * Reads the backlog of a tail that hears live lines already, so that none is lost between the two and none comes twice.
 * `after` is a position of an earlier tail; one that is not known here (another store) starts anew.
 */
export async function readBacklog(
  store: TailStore,
  filter: LineFilter,
  wanted: { lines: number; after: number | null },
  waiting: Waiting,
): Promise<Backlog> {
  const start = store.newestOrdinal();
  const resumed =
    wanted.after !== null && wanted.after <= start ? await readForward(store, filter, wanted.after) : null;
  let backlog = resumed;
  if (backlog === null) {
    const missed = wanted.after !== null && wanted.after <= start ? start - wanted.after : 0;
    backlog = await readNewest(store, filter, missed > 0 ? LIMIT_BACKLOG_LINES : wanted.lines);
    // Of a viewer that was away for too long only an upper bound is known: all lines since, with and without its filter.
    backlog.skipped = Math.max(0, missed - (backlog.lines?.length ?? 0));
  }
  let from = resumed?.upTo ?? start;
  for (let round = 0; round < LIMIT_PAGES && waiting.overflowed(); round++) {
    waiting.clear();
    const more = await readForward(store, filter, from);
    if (more === null) return backlog;
    const { isMissing } = backlog;
    const lines: Line[] = [...(backlog.lines ?? []), ...(more.lines ?? []).filter((line) => isMissing(line.id))];
    // Where no backlog was asked for these are live lines that came late.
    const fresh: boolean = backlog.fresh && backlog.lines !== null;
    const skipped: number = backlog.skipped + more.skipped;
    backlog = { ...backlog, lines, fresh, skipped, upTo: more.upTo, isMissing: () => false };
    from = backlog.upTo;
  }
  return weighed(backlog);
}

async function readNewest(store: TailStore, filter: LineFilter, limit: number): Promise<Backlog> {
  const lines = limit === 0 ? [] : (await store.query(filter, { limit })).lines.reverse();
  const ids = new Set(lines.map((line) => line.id));
  // Read after the query: what the query saw had arrived by now.
  const upTo = store.newestOrdinal();
  return {
    ...{ lines: limit === 0 ? null : lines, fresh: true, skipped: 0, bytes: 0 },
    // Without a backlog nothing is known: whatever comes from now on is new.
    ...{ upTo: limit === 0 ? 0 : upTo, isMissing: (id) => !ids.has(id) },
  };
}

/** All lines after a position, the newest of them if they are too many; null when they are far too many. */
async function readForward(store: TailStore, filter: LineFilter, after: number): Promise<Backlog | null> {
  let lines: Line[] = [];
  let skipped = 0;
  let upTo = after;
  for (let page = 0; page < LIMIT_PAGES; page++) {
    const found = await store.since(filter, upTo, LIMIT_BACKLOG_LINES);
    upTo = found.lastOrdinal;
    lines.push(...found.lines);
    if (lines.length > LIMIT_BACKLOG_LINES) {
      skipped += lines.length - LIMIT_BACKLOG_LINES;
      lines = lines.slice(-LIMIT_BACKLOG_LINES);
    }
    if (found.lines.length < LIMIT_BACKLOG_LINES)
      return {
        lines: lines.length + skipped === 0 ? null : lines,
        fresh: false,
        skipped,
        bytes: 0,
        upTo,
        isMissing: () => false,
      };
  }
  return null;
}

/** Long lines: the oldest go until the rest fits into one message of bearable size. */
function weighed(backlog: Backlog): Backlog {
  if (backlog.lines === null) return backlog;
  let bytes = 0;
  let first = backlog.lines.length;
  while (first > 0 && bytes < LIMIT_BACKLOG_BYTES) bytes += entryOf(backlog.lines[--first]!, 0).bytes;
  return {
    ...backlog,
    bytes,
    skipped: backlog.skipped + first,
    lines: first === 0 ? backlog.lines : backlog.lines.slice(first),
  };
}
