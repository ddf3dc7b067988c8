import type { Job } from '../../common/model/job.ts';
import type { JobReport } from '../../common/wire/link.ts';
import type { JobStore, StoredJob } from '../store/ports.ts';
import { isFinished } from './job-record.ts';
import type { Journal } from './journal.ts';
import type { InstanceLocks } from './locks.ts';

/** Decides how jobs ended whose outcome one agent alone cannot know: those that concern two hosts. */
export interface Judge {
  /**
   * The agent told its last word on a job, or (null) nobody has heard of it for too long. True: the judge looks for itself
   * and tells by `conclude`; until then the job runs and holds its instance. May be called again for the same job.
   */
  takes(job: StoredJob, report: JobReport | null): boolean;
  /** A report on an operation that is no job; true when it was one of the judge's own. */
  heard(report: JobReport): boolean;
}

export interface Conclusion extends Pick<Job, 'error' | 'result'> {
  state: 'done' | 'failed' | 'cancelled' | 'unknown';
}

export interface Judged {
  conclude(id: string, outcome: Conclusion): void;
  /** An unknown job runs again because it can be decided now; false when another job has its instance. */
  reopen(id: string): boolean;
  /** What the judge does now, in words for people. */
  tell(id: string, phase: string): void;
}

/** What the judge may do to jobs. */
export function createJudged(deps: {
  jobs: JobStore;
  journal: Journal;
  locks: InstanceLocks;
  holder(instance: string): string | null;
  end(job: StoredJob): void;
  ack(job: StoredJob): void;
  attempt(key: string, work: () => void): void;
  nowMs(): number;
}): Judged {
  const { jobs, journal, locks } = deps;
  return {
    conclude(id, outcome) {
      deps.attempt(`conclude ${id}`, () => {
        const job = jobs.get(id);
        if (job === null || isFinished(job.state)) return;
        const { detail: _past, ...kept } = job;
        journal.change({ ...kept, ...outcome, progress: outcome.state === 'done' ? 1 : null, endedMs: deps.nowMs() });
        deps.end(job);
        // Only now: an agent whose last word was not decided upon tells it again to the next life of this manager.
        deps.ack(job);
      });
    },
    reopen(id) {
      const job = jobs.get(id);
      if (job?.state !== 'unknown' || job.instance === null) return false;
      const holder = deps.holder(job.instance);
      if (holder !== null && holder !== id) return false;
      locks.take(job);
      journal.change({ ...job, state: 'running', endedMs: null, error: null });
      return true;
    },
    tell(id, phase) {
      const job = jobs.get(id);
      if (job?.state === 'running') journal.change({ ...job, detail: { ...job.detail, phase } });
    },
  };
}
