import { join } from 'node:path';
import type { Candidate } from '../../common/model/discovery.ts';
import { type LabApi, labApi } from './api.ts';
import { agentDataDir, type LabConsole } from './console.ts';
import type { LabHost } from './host.ts';
import type { Lab } from './lab.ts';
import { LAB_GATEWAY } from './names.ts';
import { LabError } from './run.ts';

export interface EnrolOptions {
  readonly distDir: string;
  /** Port of the manager in the lab. */
  readonly port: number;
}

/**
 * Enrols every host of the lab the way an admin does: the crawler's scan finds the agents, a one-time token is made for
 * each, and `webvirt agent enrol` is run on its host.
 * @throws LabError when an agent is not found in time or refuses.
 */
export async function enrolHosts(lab: Lab, console: LabConsole, options: EnrolOptions): Promise<void> {
  const api = await labApi(console);
  const wanted = new Map(lab.hosts.map((host) => [host.address, host]));
  const ours = (list: Candidate[]) =>
    list.filter(({ state, address }) => state === 'unenrolled' && wanted.has(address));
  const found = api.until<Candidate[]>('/api/v1/candidates', (list) => ours(list).length >= wanted.size);
  // The first scan may have been too early for the agents.
  await api.call('POST', '/api/v1/scans', {}).catch(() => {});
  const candidates = ours(await found);
  await Promise.all(candidates.map((candidate) => enrolOne(api, candidate, wanted.get(candidate.address)!, options)));
}

async function enrolOne(api: LabApi, candidate: Candidate, host: LabHost, options: EnrolOptions): Promise<void> {
  const managerUrl = `https://${LAB_GATEWAY}:${options.port}`;
  const offer = await api.call<{ token: string }>('POST', `/api/v1/candidates/${candidate.id}/enrol`, { managerUrl });
  const { code, stderr } = await host.exec([
    process.execPath,
    join(options.distDir, 'cli', 'main.js'),
    ...['agent', 'enrol', managerUrl, offer.token],
    ...['--socket', join(agentDataDir(host), 'agent.sock')],
  ]);
  if (code !== 0) throw new LabError(`${host.name} was not enrolled: ${stderr.trim()}`);
}
