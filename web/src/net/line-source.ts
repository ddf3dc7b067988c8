import type { Line } from '../../../common/model/line.ts';
import { isMarker } from '../models/line-ring.ts';
import type { LineSources } from '../models/line-source.ts';
import { LineWindow } from '../models/line-window.ts';
import { apiQuery, filterOf, type LogParams } from '../models/log-filter.ts';
import { type Api, ApiError } from './api.ts';
import type { Feed } from './feed.ts';

interface LinePage {
  lines: Line[];
  next: string | null;
  searchedBackToMs: number | null;
}

const RING_LINES = 100_000;
const PAGE_LINES = 500;
const MARKER_LINES = 5_000;
const BACKLOG_LINES = 1_000;

/** Makes streams of lines. With a range in the parameters a stream is stored, without one it is live. */
export function createLineSources(deps: { api: Api; feed: Pick<Feed, 'tail'> }): LineSources {
  return (params) => {
    const window = new LineWindow(RING_LINES);
    const live = params.fromMs === undefined && params.toMs === undefined;
    let cursor: string | null = null;
    let askedOnce = false;
    let closed = false;
    let searchedBackToMs: number | null = null;
    const tail = live ? deps.feed.tail(window, filterOf(params), BACKLOG_LINES) : null;

    async function page(range: LogParams, limit: number, from: string | null): Promise<LinePage> {
      const more: Record<string, string | number> = from === null ? { limit } : { limit, cursor: from };
      return deps.api.get<LinePage>(`/api/v1/logs?${apiQuery(range, more)}`);
    }

    function fail(error: unknown): void {
      if (closed) return;
      if (error instanceof ApiError) window.fail(error.code, error.message);
      else throw error;
    }

    async function loadOlder(): Promise<void> {
      if (closed || (askedOnce && cursor === null)) return;
      const oldest = window.oldestLine();
      const range: LogParams = { ...params };
      // The first page behind a live tail starts at its oldest line; lines of that same millisecond come twice.
      if (live && !askedOnce && oldest !== null) range.toMs = Math.min(oldest.tsMs, oldest.receivedMs) + 1;
      try {
        const answer = await page(range, PAGE_LINES, cursor);
        if (closed) return;
        askedOnce = true;
        cursor = answer.next;
        searchedBackToMs = answer.next === null ? null : answer.searchedBackToMs;
        const here = new Set<string>();
        for (let n = window.ring.first; n < Math.min(window.ring.end, window.ring.first + PAGE_LINES * 2); n += 1) {
          const row = window.ring.at(n)!;
          if (!isMarker(row)) here.add(row.id);
        }
        window.addOlder(answer.lines.filter((line) => !here.has(line.id)).reverse());
      } catch (error) {
        fail(error);
      }
    }

    if (!live) void loadOlder().then(() => !closed && window.trigger('state'));

    return {
      window,
      live,
      loadOlder,
      searchedBackToMs: () => searchedBackToMs,
      async loadMarker(marker) {
        if (marker.loading) return;
        marker.loading = true;
        window.changed();
        const range: LogParams = { ...params };
        if (marker.fromMs !== null) range.fromMs = marker.fromMs;
        if (marker.toMs !== null) range.toMs = marker.toMs + 1;
        try {
          const answer = await page(range, Math.min(MARKER_LINES, Math.max(marker.count * 2, PAGE_LINES)), null);
          if (!closed) window.fill(marker, answer.lines.reverse());
        } catch (error) {
          marker.loading = false;
          fail(error);
          window.changed();
        }
      },
      close() {
        closed = true;
        tail?.close();
      },
    };
  };
}
