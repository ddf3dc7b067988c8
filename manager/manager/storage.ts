import { join } from 'node:path';
import { LEVELS, type Level } from '../../common/model/line.ts';
import type { ManagerConfig } from '../config.ts';
import type { Log } from '../http/log.ts';
import type { StateStore } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { createLateStore, type LateStore } from './late-store.ts';
import { type LineEngine, openLineEngine } from './line-engine.ts';

const RETAIN_FIRST_MS = 60_000;
const RETAIN_EVERY_MS = 15 * 60_000;
/** For its size each round deletes the oldest file; the rest waits for the next time. */
const RETAIN_ROUNDS = 50;
/** A mark may be set at the last moment. */
const RETAIN_SOON_MS = 2_000;
/** Of the embedded store, where nothing else is said. */
const LIMIT_BYTES = 20 * 1024 ** 3;

export interface Storage {
  state: StateStore;
  store: LateStore<LineEngine>;
  /** Begins to delete what the configuration does not keep. */
  startRetention(log: Log): void;
  /** A mark was set or removed: retention looks within seconds. */
  retainSoon(): void;
  close(): Promise<void>;
}

/** Opens the state at once; the store of lines is opened by `store.open`. Throws what SQLite says. */
export function openStorage(
  config: ManagerConfig,
  onLinesFailed: (error: unknown) => void,
  onWarning: (message: string, fields: Record<string, unknown>) => void,
  onNews: (message: string, fields: Record<string, unknown>) => void = () => undefined,
  onError: (message: string, fields: Record<string, unknown>) => void = onWarning,
): Storage {
  const { lines, dataDir } = config;
  const state = openStateStore(join(dataDir, 'webvirt.sqlite'));
  const store = createLateStore(
    () => openLineEngine(config, state.settings, onWarning, onNews, onError),
    onLinesFailed,
  );
  let timer: NodeJS.Timeout | undefined;
  let run: (() => void) | null = null;
  let retaining: Promise<void> = Promise.resolve();
  const runIn = (ms: number) => {
    clearTimeout(timer);
    if (run !== null) timer = setTimeout(run, ms).unref();
  };

  function forgetJobs(log: Log): void {
    const jobs = state.jobs.removeEnded(Date.now() - config.jobs.keep);
    if (jobs > 0) log.info('old jobs were forgotten', { jobs, keptMs: config.jobs.keep });
  }

  async function retain(log: Log): Promise<void> {
    for (let round = 0; round < RETAIN_ROUNDS; round++) {
      const nowMs = Date.now();
      const levelsBeforeMs: Partial<Record<Level, number>> = {};
      for (const level of LEVELS) {
        const keptMs = lines.keepLevels[level];
        if (keptMs !== null) levelsBeforeMs[level] = nowMs - keptMs;
      }
      const receivedBeforeMs = nowMs - lines.keep;
      const rule = {
        receivedBeforeMs,
        levelsBeforeMs,
        limitBytes: lines.limit ?? LIMIT_BYTES,
        keep: state.keeps.ranges(),
      };
      const deleted = await store.opened()?.retain(rule);
      if (deleted === null || deleted === undefined) return;
      // A loss by policy is on the record, as every loss is.
      log.info('old lines were deleted', { lines: deleted.lines, toMs: deleted.toMs, keptMs: lines.keep });
      // The file would count as full again, and the next round take more for nothing.
      if (deleted.freedBytes === 0) return;
    }
  }

  return {
    state,
    store,
    startRetention(log) {
      run = () => {
        retaining = retaining
          .then(() => retain(log))
          .then(() => forgetJobs(log))
          .catch((error: unknown) => void log.error('old lines or jobs could not be deleted', { error: String(error) }))
          .then(() => runIn(RETAIN_EVERY_MS));
      };
      runIn(RETAIN_FIRST_MS);
    },
    retainSoon: () => runIn(RETAIN_SOON_MS),
    async close() {
      run = null;
      clearTimeout(timer);
      await retaining;
      await store.close();
      state.close();
    },
  };
}
