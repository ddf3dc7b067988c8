import type { JobStore, StoredJob } from '../store/ports.ts';

/**
 * A job store that keeps how far a running job is in memory: four words a second of each migration are not worth a synced
 * write, and after a restart its agent tells it anew. Everything else goes through.
 */
export function withLiveProgress(jobs: JobStore): JobStore {
  const live = new Map<string, Pick<StoredJob, 'progress' | 'detail'>>();
  const whole = <J extends StoredJob | null>(job: J): J => {
    const now = job === null ? undefined : live.get(job.id);
    return job === null || now === undefined ? job : { ...job, ...now };
  };
  return {
    ...jobs,
    insert(job) {
      const { inserted, job: stored } = jobs.insert(job);
      return { inserted, job: whole(stored) };
    },
    update(job) {
      const stored = jobs.get(job.id);
      const { progress, detail } = job;
      if (job.state === 'running') live.set(job.id, { progress, ...(detail === undefined ? {} : { detail }) });
      else live.delete(job.id);
      if (stored === null || bare(stored) !== bare(job)) jobs.update(strip(job));
    },
    get: (id) => whole(jobs.get(id)),
    list: (options) => jobs.list(options).map(whole),
    unfinished: () => jobs.unfinished().map(whole),
  };
}

function strip({ detail: _detail, ...job }: StoredJob): StoredJob {
  return job.state === 'running' ? { ...job, progress: null } : job;
}

function bare(job: StoredJob): string {
  return JSON.stringify(strip(job));
}
