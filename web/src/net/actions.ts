import type { Job } from '../../../common/model/job.ts';
import type { Action } from '../../../common/model/words.ts';
import type { Notices } from '../models/notices.ts';
import type { InstanceModel, Jobs } from '../models/nouns.ts';
import type { EnrolOffer } from '../models/page-deps.ts';
import type { Pending } from '../models/pending.ts';
import { type Api, ApiError } from './api.ts';
import { newOpId } from './op-id.ts';

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
}

const LOST_ANSWER_RETRY_MS = 400;
/** How long a row stays busy when the manager accepted the operation and its job never shows up. */
const NO_JOB_MS = 30_000;

export function createActions({ api, jobs, pending, notices }: ActionDeps): Actions {
  jobs.on('add change:state', (job: Jobs['models'][number]) => {
    if (job.ended()) pending.end(String(job.id));
  });

  /** The answer may be lost while the call was not: the same opId makes a second try the same operation. */
  async function send(path: string, body: { opId: string }): Promise<void> {
    try {
      await api.post<{ job: Job | string }>(path, body);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'network') throw error;
      await new Promise((resolve) => setTimeout(resolve, LOST_ANSWER_RETRY_MS));
      await api.post(path, body);
    }
  }

  async function actOne(instance: InstanceModel, action: Action): Promise<void> {
    const id = String(instance.id);
    if (pending.opOf(id) !== null) return;
    const opId = newOpId();
    pending.begin(id, opId);
    try {
      await send(`/api/v1/instances/${encodeURIComponent(id)}/actions`, { action, opId } as { opId: string });
      if (jobs.get(opId)?.ended()) pending.end(opId);
      else setTimeout(() => jobs.get(opId) === undefined && pending.end(opId), NO_JOB_MS);
    } catch (error) {
      pending.end(opId);
      if (!(error instanceof ApiError)) throw error;
      notices.sayError(`${action} ${instance.get('name')}: not accepted`, error);
    }
  }

  return {
    async act(instances, action) {
      await Promise.all(instances.map((instance) => actOne(instance, action)));
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
