import type { Job } from '../../../common/model/job.ts';
import type { Action } from '../../../common/model/words.ts';
import type { Batches } from '../models/batches.ts';
import type { Notices } from '../models/notices.ts';
import type { InstanceModel, Jobs } from '../models/nouns.ts';
import type { EnrolOffer } from '../models/page-deps.ts';
import type { Pending } from '../models/pending.ts';
import { type Api, ApiError } from './api.ts';
import { newOpId } from './op-id.ts';
import { sendOnce } from './send-once.ts';

/** Everything the console asks the manager to do. */
export interface Actions {
  /** Sends one action to each instance that has none under way; outcomes come back as jobs. */
  act(instances: readonly InstanceModel[], action: Action): Promise<void>;
  cancelJob(id: string): Promise<void>;
  enrol(candidateId: string): Promise<EnrolOffer>;
  scan(range: string, kind: string): Promise<void>;
}

interface ActionDeps {
  api: Api;
  jobs: Jobs;
  pending: Pending;
  notices: Notices;
  batches: Batches;
}

interface BatchAnswer {
  jobs: Job[];
  refused: { id: string; err: string; message: string }[];
}

/** As many as the manager takes in one call. */
const BATCH_INSTANCES = 500;
const REFUSED_TOLD = 4;
/** How long a row stays busy when the manager accepted the operation and its job never shows up. */
const NO_JOB_MS = 30_000;

export function createActions({ api, jobs, pending, notices, batches }: ActionDeps): Actions {
  jobs.on('add change:state', (job: Jobs['models'][number]) => {
    if (job.ended()) pending.end(String(job.id));
  });

  /** The row stays busy until the job with this id ends, or never shows up. */
  function awaitJob(jobId: string): void {
    if (jobs.get(jobId)?.ended()) pending.end(jobId);
    else setTimeout(() => jobs.get(jobId) === undefined && pending.end(jobId), NO_JOB_MS);
  }

  async function actOne(instance: InstanceModel, action: Action): Promise<void> {
    const id = String(instance.id);
    const opId = newOpId();
    pending.begin(id, opId);
    try {
      await sendOnce(api, `/api/v1/instances/${encodeURIComponent(id)}/actions`, { action, opId } as { opId: string });
      awaitJob(opId);
    } catch (error) {
      pending.end(opId);
      if (!(error instanceof ApiError)) throw error;
      notices.sayError(`${action} ${instance.get('name')}: not accepted`, error);
    }
  }

  /** One call for many: each accepted one has a job of its own, the refused ones are named with their reasons. */
  async function actTogether(instances: readonly InstanceModel[], action: Action): Promise<void> {
    const opId = newOpId();
    const ids = instances.map((instance) => String(instance.id));
    for (const id of ids) pending.begin(id, opId);
    try {
      const answer = await sendOnce<BatchAnswer>(api, '/api/v1/instances/actions', { ids, action, opId } as {
        opId: string;
      });
      for (const job of answer.jobs) {
        if (job.instance === null) continue;
        pending.begin(job.instance, job.id);
        awaitJob(job.id);
      }
      const taken = answer.jobs.map((job) => job.id);
      if (taken.length > 1) batches.add(opId, `${action} ${taken.length} instances`, taken);
      sayRefused(instances, action, answer.refused);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notices.sayError(`${action} ${instances.length} instances: not accepted`, error);
    } finally {
      // Whatever is still held under the id of the whole call has no job.
      pending.end(opId);
    }
  }

  function sayRefused(instances: readonly InstanceModel[], action: Action, refused: BatchAnswer['refused']): void {
    if (refused.length === 0) return;
    const nameOf = (id: string) => instances.find((instance) => instance.id === id)?.get('name') ?? id;
    const told = refused.slice(0, REFUSED_TOLD).map(({ id, message }) => `${nameOf(id)}: ${message}`);
    const more = refused.length - told.length;
    notices.say({
      kind: 'bad',
      title: `${action}: ${refused.length} of ${instances.length} not accepted`,
      text: [...told, ...(more > 0 ? [`And ${more} more.`] : [])].join(' '),
      href: null,
    });
  }

  return {
    async act(instances, action) {
      const free = instances.filter((instance) => pending.opOf(String(instance.id)) === null);
      if (free.length === 1) return actOne(free[0]!, action);
      for (let i = 0; i < free.length; i += BATCH_INSTANCES)
        await actTogether(free.slice(i, i + BATCH_INSTANCES), action);
    },
    async cancelJob(id) {
      try {
        await api.remove(`/api/v1/jobs/${encodeURIComponent(id)}`);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        notices.sayError('Cancel: not accepted', error);
      }
    },
    async enrol(candidateId) {
      return api.post<EnrolOffer>(`/api/v1/candidates/${encodeURIComponent(candidateId)}/enrol`, {});
    },
    async scan(range, kind) {
      await api.post('/api/v1/scans', { range, kind });
    },
  };
}
