import type { Line } from '../../../common/model/line.ts';
import { isMarker, type LineRing } from '../models/line-ring.ts';
import type { LineSources, SearchState } from '../models/line-source.ts';
import { LineWindow } from '../models/line-window.ts';
import { apiQuery, filterOf, type LogParams } from '../models/log-filter.ts';
import { type Api, ApiError } from './api.ts';
import type { Feed } from './feed.ts';
import { createNewerPages } from './newer-pages.ts';
import type { SearchRun } from './searches-live.ts';

interface LinePage {
  lines: Line[];
  next: string | null;
  searchedBackToMs: number | null;
}

const PAGE_LINES = 500;
const MARKER_LINES = 5_000;
const BACKLOG_LINES = 1_000;
/** A filtered tail with fewer lines than this searches the past by itself: the last time it happened is what is asked for. */
const FEW_LINES = 60;

export interface LineSourceDeps {
  api: Api;
  feed: Pick<Feed, 'tail' | 'search'>;
  /** How many lines a window keeps. */
  keepLines: () => number;
}

/** Makes streams of lines. With a range in the parameters a stream is stored, without one it is live. */
export function createLineSources(deps: LineSourceDeps): LineSources {
  return (params) => {
    const window = new LineWindow(deps.keepLines());
    const live = params.fromMs === undefined && params.toMs === undefined;
    let cursor: string | null = null;
    let state: SearchState | null = null;
    let run: { search: SearchRun; end: () => void } | null = null;
    let closed = false;
    const tail = live ? deps.feed.tail(window, filterOf(params), BACKLOG_LINES) : null;

    function fail(error: unknown): void {
      if (closed) return;
      if (error instanceof ApiError) window.fail(error.code, error.message);
      else throw error;
    }

    /** A page of a search: what is found goes before the first row at once. */
    function loadOlder(): Promise<void> {
      if (closed || run !== null || state?.complete) return Promise.resolve();
      const oldest = window.oldestLine();
      const range: LogParams = { ...params };
      // The first page behind a live tail starts at its oldest line; lines of that same millisecond come twice.
      if (live && cursor === null && oldest !== null)
        range.toMs = (oldest.sortMs ?? Math.min(oldest.tsMs, oldest.receivedMs)) + 1;
      const before = state;
      state = {
        running: true,
        found: before?.found ?? 0,
        backToMs: before?.backToMs ?? null,
        complete: false,
        cancelled: false,
        unreadable: before?.unreadable ?? [],
      };
      window.trigger('state');
      return new Promise((resolve) => {
        const end = (change: Partial<SearchState>) => {
          run = null;
          state = { ...state!, ...change, running: false };
          if (!closed) {
            window.ready = true;
            window.trigger('state');
          }
          resolve();
        };
        const search = deps.feed.search({
          params: range,
          limit: PAGE_LINES,
          cursor,
          onFound(found) {
            if (closed) return;
            const fresh = without(window.ring, found.lines);
            state = {
              ...state!,
              found: state!.found + fresh.length,
              backToMs: found.searchedBackToMs ?? state!.backToMs,
              unreadable: withOthers(state!.unreadable, found.unreadable ?? []),
            };
            if (fresh.length > 0) window.addOlder(fresh.reverse());
            if (!found.done) return void window.trigger('state');
            cursor = found.next;
            end({ complete: found.next === null });
          },
          onFail(code, message) {
            if (!closed) window.fail(code, message);
            end({});
          },
        });
        run = { search, end: () => end({ cancelled: true }) };
      });
    }

    if (!live) void loadOlder();
    else if (Object.keys(filterOf(params)).length > 0) {
      window.once('rows', () => {
        if (!closed && window.ring.length < FEW_LINES) void loadOlder();
      });
    }

    return {
      window,
      live,
      loadOlder,
      loadNewer: live ? null : createNewerPages({ api: deps.api, window, params, isClosed: () => closed }),
      search: () => state,
      cancelSearch() {
        run?.search.cancel();
        run?.end();
      },
      async loadMarker(marker) {
        if (marker.loading) return;
        marker.loading = true;
        window.changed();
        const range: LogParams = { ...params };
        if (marker.fromMs !== null) range.fromMs = marker.fromMs;
        if (marker.toMs !== null) range.toMs = marker.toMs + 1;
        const limit = Math.min(MARKER_LINES, Math.max(marker.count * 2, PAGE_LINES));
        try {
          const answer = await deps.api.get<LinePage>(`/api/v1/logs?${apiQuery(range, { limit })}`);
          if (!closed) window.fill(marker, answer.lines.reverse());
        } catch (error) {
          marker.loading = false;
          fail(error);
          window.changed();
        }
      },
      close() {
        closed = true;
        run?.search.cancel();
        tail?.close();
      },
    };
  };
}

/** The lines that are not among the oldest of the ring already. */
function without(ring: LineRing, lines: readonly Line[]): Line[] {
  const here = new Set<string>();
  for (let n = ring.first; n < Math.min(ring.end, ring.first + PAGE_LINES * 2); n += 1) {
    const row = ring.at(n)!;
    if (!isMarker(row)) here.add(row.id);
  }
  return lines.filter((line) => !here.has(line.id));
}

/** The same damage may be met by more than one page. */
function withOthers<T extends { fromMs: number; toMs: number; lines: number }>(
  known: readonly T[],
  more: readonly T[],
) {
  const others = more.filter(
    (one) =>
      !known.some(({ fromMs, toMs, lines }) => fromMs === one.fromMs && toMs === one.toMs && lines === one.lines),
  );
  return others.length === 0 ? known : [...known, ...others];
}
