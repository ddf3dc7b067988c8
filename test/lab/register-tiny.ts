import type { Host } from '../../common/model/host.ts';
import type { Job } from '../../common/model/job.ts';
import { labApi } from './api.ts';
import { TINY } from './base-image.ts';
import type { LabConsole } from './console.ts';
import type { Lab } from './lab.ts';
import { LabError } from './run.ts';

const FINAL = ['done', 'failed', 'cancelled', 'unknown'];

/**
 * Registers the base image `tiny` on every host of the lab, as an admin would: by the API of the console, once the
 * hosts are online.
 * @throws LabError when a host does not come online in time or refuses.
 */
export async function registerTiny(lab: Lab, running: LabConsole): Promise<void> {
  const api = await labApi(running);
  const online = (hosts: Host[]) => hosts.filter((host) => host.state === 'online').length >= lab.hosts.length;
  const hosts = await api.until<Host[]>('/api/v1/hosts', online);
  await Promise.all(
    hosts.map(async (host) => {
      const { job } = await api.call<{ job: string | Job }>('POST', '/api/v1/images', { ...TINY, host: host.id });
      const uri = `/api/v1/jobs/${typeof job === 'string' ? job : job.id}`;
      const end = await api.until<Job>(uri, ({ state }) => FINAL.includes(state));
      if (end.state !== 'done') throw new LabError(`${host.name}: tiny is not registered: ${end.error?.message}`);
    }),
  );
}
