import type { Line } from '../../common/model/line.ts';
import type { LineFilter } from '../store/ports.ts';
import { type Place, splitPlace } from './place.ts';
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
  /** The same of the other managers that store into the same store. */
  others: Place;
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
  wanted: { lines: number; after: Place | null; heard: Place },
  waiting: Waiting,
): Promise<Backlog> {
  const start = store.newestOrdinal();
  const after = wanted.after === null ? null : knownPlace(store, wanted.after, start);
  const resumed = after === null ? null : await readForward(store, filter, after);
  let backlog = resumed;
  if (backlog === null) {
    const missed = after === null ? 0 : missedSince(store, after, start);
    backlog = await readNewest(store, filter, missed > 0 ? LIMIT_BACKLOG_LINES : wanted.lines);
    // Of a viewer that was away for too long only an upper bound is known: all lines since, with and without its filter.
    backlog.skipped = Math.max(0, missed - (backlog.lines?.length ?? 0));
  }
  let from: Place = resumed === null ? [start, ...wanted.heard] : [resumed.upTo, ...resumed.others];
  for (let round = 0; round < LIMIT_PAGES && waiting.overflowed(); round++) {
    waiting.clear();
    const more = await readForward(store, filter, from);
    if (more === null) return backlog;
    const { isMissing } = backlog;
    const lines: Line[] = [...(backlog.lines ?? []), ...(more.lines ?? []).filter((line) => isMissing(line.id))];
    // Where no backlog was asked for these are live lines that came late.
    const fresh: boolean = backlog.fresh && backlog.lines !== null;
    const skipped: number = backlog.skipped + more.skipped;
    const { upTo, others } = more;
    backlog = { ...backlog, lines, fresh, skipped, upTo, others, isMissing: () => false };
    from = [upTo, ...others];
  }
  return weighed(backlog);
}

/** Null for a place of another store, or of one that was restored: its numbers are above ours. */
function knownPlace({ shared }: TailStore, after: Place, start: number): Place | null {
  const { own } = splitPlace(after, shared, start);
  if (own === null) return shared === undefined || after.length === 0 ? null : after;
  return own <= start ? after : null;
}

/** Numbers of a shared store are times: there only what was read in vain is known. */
function missedSince({ shared }: TailStore, after: Place, start: number): number {
  return shared === undefined ? start - (after[0] ?? start) : LIMIT_PAGES * LIMIT_BACKLOG_LINES;
}

/** One page of lines after a place. */
async function pageAfter(store: TailStore, filter: LineFilter, after: Place): Promise<{ lines: Line[]; at: Place }> {
  if (store.shared === undefined) {
    const { lines, lastOrdinal } = await store.since(filter, after[0] ?? 0, LIMIT_BACKLOG_LINES);
    return { lines, at: [lastOrdinal] };
  }
  const { lines, positions } = await store.shared.since(filter, after, LIMIT_BACKLOG_LINES);
  return { lines, at: positions };
}

async function readNewest(store: TailStore, filter: LineFilter, limit: number): Promise<Backlog> {
  const lines = limit === 0 ? [] : (await store.query(filter, { limit })).lines.reverse();
  const ids = new Set(lines.map((line) => line.id));
  // Read after the query: what the query saw had arrived by now.
  const upTo = store.newestOrdinal();
  return {
    ...{ lines: limit === 0 ? null : lines, fresh: true, skipped: 0, bytes: 0 },
    // Without a backlog nothing is known: whatever comes from now on is new.
    ...{ upTo: limit === 0 ? 0 : upTo, others: [], isMissing: (id) => !ids.has(id) },
  };
}

/** All lines after a position, the newest of them if they are too many; null when they are far too many. */
async function readForward(store: TailStore, filter: LineFilter, after: Place): Promise<Backlog | null> {
  let lines: Line[] = [];
  let skipped = 0;
  let at = after;
  for (let page = 0; page < LIMIT_PAGES; page++) {
    const found = await pageAfter(store, filter, at);
    at = found.at;
    lines.push(...found.lines);
    if (lines.length > LIMIT_BACKLOG_LINES) {
      skipped += lines.length - LIMIT_BACKLOG_LINES;
      lines = lines.slice(-LIMIT_BACKLOG_LINES);
    }
    if (found.lines.length < LIMIT_BACKLOG_LINES) {
      const { own, others } = splitPlace(at, store.shared, store.newestOrdinal());
      return {
        lines: lines.length + skipped === 0 ? null : lines,
        fresh: false,
        skipped,
        bytes: 0,
        upTo: own ?? 0,
        others,
        isMissing: () => false,
      };
    }
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
