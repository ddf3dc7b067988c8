import type { Job, Placement } from '../../../common/model/job.ts';
import type { MigrationChecks } from '../../../common/model/migration.ts';
import type { FillOutcome } from '../models/ledger.ts';
import type { Operations } from '../models/operations.ts';
import type { Api } from './api.ts';
import { newOpId } from './op-id.ts';
import { onceMore, sendOnce } from './send-once.ts';

const instancePath = (id: string) => `/api/v1/instances/${encodeURIComponent(id)}`;

/** Launch, delete, move and base images over the API. */
export function createOperations(api: Api): Operations {
  return {
    launch: (request, opId) =>
      sendOnce<{ job: Job; placement: Placement }>(api, '/api/v1/instances', { ...request, opId }),
    async registerImage(request, opId) {
      return (await sendOnce<{ job: Job }>(api, '/api/v1/images', { ...request, opId })).job;
    },
    async forgetImage(host, name, opId) {
      const path = `/api/v1/images/${encodeURIComponent(host)}/${encodeURIComponent(name)}?opId=${opId}`;
      return (await onceMore(() => api.remove<{ job: Job }>(path))).job;
    },
    async removeInstance(id, name, force, opId) {
      const query = new URLSearchParams({ name, opId, ...(force ? { force: 'true' } : {}) });
      return (await onceMore(() => api.remove<{ job: Job }>(`${instancePath(id)}?${query}`))).job;
    },
    targets(id, { live, tunnelled, copyStorage }) {
      const query = new URLSearchParams({
        live: String(live),
        ...(tunnelled ? { tunnelled: 'true' } : {}),
        ...(copyStorage ? { copyStorage: 'true' } : {}),
      });
      return api.get<MigrationChecks[]>(`${instancePath(id)}/migrate/targets?${query}`);
    },
    async migrate(id, request, opId) {
      return (await sendOnce<{ job: Job }>(api, `${instancePath(id)}/migrate`, { ...request, opId })).job;
    },
    fillGap: (agent, epoch, { from, to }) =>
      api.post<FillOutcome>(`/api/v1/ledger/${encodeURIComponent(agent)}/${epoch}/fill`, { from, to }),
    newOpId,
  };
}
