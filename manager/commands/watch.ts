import type { StoredJob } from '../store/ports.ts';

/** How long a job may stay silent, in milliseconds of the monotonic clock: no decision hangs on the wall clock. */
export interface SilenceLimits {
  /** From dispatch to the agent's first word. */
  firstWordMs: number;
  /** From one word of a running job to the next. */
  nextWordMs: number;
  /** For a running job whose host has gone. */
  hostGoneMs: number;
}

interface Watched {
  host: string | null;
  running: boolean;
  heardMs: number;
  goneSinceMs: number | null;
}

/** Knows when each unfinished job was last heard of. */
export interface Watch {
  /** The job was sent, or its agent spoke of it. */
  heard(job: StoredJob): void;
  forget(id: string): void;
  /** Ids of jobs that were silent for too long, each once. */
  overdue(): string[];
}

export function createWatch(
  limits: SilenceLimits,
  deps: { monotonicMs: () => number; connected: (host: string) => boolean },
): Watch {
  const jobs = new Map<string, Watched>();
  return {
    heard(job) {
      const heardMs = deps.monotonicMs();
      jobs.set(job.id, { host: job.host, running: job.state === 'running', heardMs, goneSinceMs: null });
    },
    forget: (id) => void jobs.delete(id),
    overdue() {
      const now = deps.monotonicMs();
      const late: string[] = [];
      for (const [id, job] of jobs) {
        const gone = job.host !== null && !deps.connected(job.host);
        job.goneSinceMs = gone ? (job.goneSinceMs ?? now) : null;
        const silentMs = now - job.heardMs;
        const goneMs = job.goneSinceMs === null ? 0 : now - job.goneSinceMs;
        if (job.running ? silentMs < limits.nextWordMs && goneMs < limits.hostGoneMs : silentMs < limits.firstWordMs)
          continue;
        jobs.delete(id);
        late.push(id);
      }
      return late;
    },
  };
}
