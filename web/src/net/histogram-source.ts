import { Histogram, type HistogramBucket } from '../models/histogram.ts';
import type { HistogramSources } from '../models/histogram-source.ts';
import { apiQuery } from '../models/log-filter.ts';
import type { Api } from './api.ts';
import { rowsOf } from './list-sync.ts';

const BUCKETS = 90;
const LIVE_RANGE_MS = 15 * 60_000;
const RELOAD_MS = 20_000;
const SLIDE_MS = 1_000;

export function createHistogramSources(deps: { api: Api; nowMs: () => number }): HistogramSources {
  return (params) => {
    const histogram = new Histogram(BUCKETS);
    const live = params.fromMs === undefined && params.toMs === undefined;
    let closed = false;

    function range(): [number, number] {
      if (!live) return [params.fromMs ?? (params.toMs ?? deps.nowMs()) - LIVE_RANGE_MS, params.toMs ?? deps.nowMs()];
      const bucketMs = LIVE_RANGE_MS / BUCKETS;
      const toMs = Math.ceil(deps.nowMs() / bucketMs) * bucketMs;
      return [toMs - LIVE_RANGE_MS, toMs];
    }

    async function load(): Promise<void> {
      const [fromMs, toMs] = range();
      const query = apiQuery({ ...params, fromMs, toMs }, { buckets: BUCKETS });
      try {
        const { data, unreadable } = await deps.api.getCounts<unknown>(`/api/v1/logs/histogram?${query}`);
        if (!closed) histogram.load(fromMs, toMs, rowsOf(data) as unknown as HistogramBucket[], unreadable);
      } catch {
        // The stream itself says why the manager cannot answer; the next reload tries again.
      }
    }

    const [fromMs, toMs] = range();
    histogram.load(fromMs, toMs, []);
    void load();
    const timers = live
      ? [setInterval(load, RELOAD_MS), setInterval(() => histogram.slideTo(deps.nowMs()), SLIDE_MS)]
      : [];
    return {
      histogram,
      addLive(lines) {
        histogram.slideTo(deps.nowMs());
        histogram.add(lines);
      },
      close() {
        closed = true;
        for (const timer of timers) clearInterval(timer);
      },
    };
  };
}
