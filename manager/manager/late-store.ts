import { WebvirtError } from '../../common/errors.ts';
import type { LineStore, SampleStore } from '../store/ports.ts';

/** What stands behind the late store once it is open. */
export interface OpenedStore {
  lines: LineStore;
  samples: SampleStore;
  close(): Promise<void>;
}

export interface LateStore<S extends OpenedStore> {
  lines: LineStore;
  samples: SampleStore;
  /** Why it cannot be used yet, in words; null once it can. */
  waiting(): string | null;
  /** The open store, or null. */
  opened(): S | null;
  /** Resolves when it is open, or after `limitMs`: the console does not wait for a long recovery. */
  open(limitMs: number): Promise<void>;
  close(): Promise<void>;
}

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 15_000;

/**
 * A store of lines that may be used before it is open: until then every call is refused with `store-unavailable`, which
 * makes agents keep their lines. An opening that fails (disk full, damaged file) is tried again for ever.
 */
export function createLateStore<S extends OpenedStore>(
  openStore: () => Promise<S>,
  onFailed: (error: unknown) => void,
): LateStore<S> {
  let store: S | null = null;
  let reason = 'being opened';
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  let attempt: Promise<void> = Promise.resolve();

  const tryOpen = async (pauseMs: number): Promise<void> => {
    try {
      const opened = await openStore();
      if (closing) await opened.close();
      else store = opened;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      onFailed(error);
      if (closing) return;
      timer = setTimeout(() => {
        attempt = tryOpen(Math.min(LAST_RETRY_MS, pauseMs * 2));
      }, pauseMs);
      timer.unref();
    }
  };
  const mustBeOpen = (): S => {
    if (store === null) throw new WebvirtError('store-unavailable', `The store of lines is not ready: ${reason}.`);
    return store;
  };

  return {
    lines: {
      append: async (...given) => mustBeOpen().lines.append(...given),
      cursors: async (...given) => mustBeOpen().lines.cursors(...given),
      hashAt: async (...given) => mustBeOpen().lines.hashAt(...given),
      query: async (...given) => mustBeOpen().lines.query(...given),
      search: async (...given) => mustBeOpen().lines.search(...given),
      count: async (...given) => mustBeOpen().lines.count(...given),
      get: async (...given) => mustBeOpen().lines.get(...given),
      context: async (...given) => mustBeOpen().lines.context(...given),
      histogram: async (...given) => mustBeOpen().lines.histogram(...given),
      facets: async (...given) => mustBeOpen().lines.facets(...given),
      // Asked when things are put together, before the file is open; whoever then reads lines is refused above.
      newestOrdinal: () => store?.lines.newestOrdinal() ?? 0,
      get shared() {
        return store?.lines.shared;
      },
      get room() {
        return store?.lines.room;
      },
      since: async (...given) => mustBeOpen().lines.since(...given),
      ledger: async (...given) => mustBeOpen().lines.ledger(...given),
      fill: async (...given) => mustBeOpen().lines.fill(...given),
      stats: async () => mustBeOpen().lines.stats(),
    },
    samples: {
      append: async (...given) => mustBeOpen().samples.append(...given),
      series: async (...given) => mustBeOpen().samples.series(...given),
    },
    waiting: () => (store === null ? reason : null),
    opened: () => store,
    async open(limitMs) {
      attempt = tryOpen(FIRST_RETRY_MS);
      let limit: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        limit = setTimeout(resolve, limitMs);
      });
      await Promise.race([attempt, late]);
      clearTimeout(limit);
    },
    async close() {
      closing = true;
      clearTimeout(timer);
      await attempt;
      await store?.close();
      store = null;
    },
  };
}
