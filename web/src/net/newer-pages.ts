import type { Line } from '../../../common/model/line.ts';
import type { LineWindow } from '../models/line-window.ts';
import { apiQuery, type LogParams } from '../models/log-filter.ts';
import { type Api, ApiError } from './api.ts';

const PAGE_LINES = 2_000;
const FIRST_SPAN_MS = 60_000;
const MOST_TRIES = 14;

export interface NewerPagesDeps {
  api: Api;
  window: LineWindow;
  params: LogParams;
  isClosed: () => boolean;
}

/**
 * Lines after a stored range, a page at a time. The store answers newest first, so the span that holds one page is felt
 * for: wider while it is empty, narrower when it holds more than a page.
 */
export function createNewerPages({ api, window, params, isClosed }: NewerPagesDeps): () => Promise<void> {
  let fromMs = params.toMs ?? 0;
  let spanMs = FIRST_SPAN_MS;

  return async () => {
    const newest = window.newestLine();
    fromMs = Math.max(fromMs, newest === null ? 0 : (newest.sortMs ?? newest.tsMs));
    for (let tries = 0; tries < MOST_TRIES && !isClosed(); tries += 1) {
      const range = { ...params, fromMs, toMs: fromMs + spanMs };
      let answer: { lines: Line[]; next: string | null };
      try {
        answer = await api.get(`/api/v1/logs?${apiQuery(range, { limit: PAGE_LINES })}`);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!isClosed()) window.fail(error.code, error.message);
        return;
      }
      if (answer.lines.length >= PAGE_LINES && answer.next !== null && spanMs > 2) {
        spanMs = Math.ceil(spanMs / 8);
        continue;
      }
      const past = fromMs + spanMs > Date.now();
      const fresh = answer.lines.filter(({ id }) => id !== newest?.id).reverse();
      fromMs += spanMs;
      if (fresh.length > 0) {
        if (!isClosed()) window.addNewer(fresh);
        return;
      }
      if (past) return;
      spanMs *= 4;
    }
  };
}
