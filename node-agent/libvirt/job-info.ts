import type { LibvirtJob } from '../../common/wire/migration.ts';

/** Kinds of jobs in `domjobinfo --rawstats`: 0 is none, 1 and 2 run, 3 to 5 have ended. */
const RUNNING = new Set([1, 2]);
const ENDED = new Set([3, 4, 5]);

export interface JobInfo {
  running: boolean;
  ended: boolean;
  job: LibvirtJob;
}

/** Reads `domjobinfo --rawstats`, with or without `--completed`; null when there is no job. */
export function parseJobInfo(text: string): JobInfo | null {
  const kind = Number(/^Job type:\s*(\d+)/m.exec(text)?.[1] ?? 0);
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const pair = /^([a-z_]+): (\d+(?:\.\d+)?)\s*$/.exec(line);
    if (pair?.[1] !== undefined) values.set(pair[1], pair[2] ?? '0');
  }
  if (!RUNNING.has(kind) && !ENDED.has(kind)) return null;
  return { running: RUNNING.has(kind), ended: ENDED.has(kind), job: jobOfStats((key) => values.get(key)) };
}

/** The same numbers as the event `job-completed` has them. */
export function jobOfStats(read: (key: string) => unknown): LibvirtJob {
  const value = (key: string) => {
    const number = Number(read(key) ?? 0);
    return Number.isFinite(number) && number >= 0 ? number : 0;
  };
  const downtime = read('downtime');
  return {
    elapsedMs: value('time_elapsed'),
    totalBytes: value('data_total'),
    processedBytes: value('data_processed'),
    remainingBytes: value('data_remaining'),
    rateBps: value('memory_bps') + value('disk_bps'),
    dirtyRateBps: value('memory_dirty_rate') * (value('memory_page_size') || 4_096),
    rounds: Math.round(value('memory_iteration')),
    downtimeMs: downtime === undefined ? null : value('downtime'),
  };
}
