import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import type { Candidate } from '../../common/model/discovery.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import { agentDataDir, type LabConsole } from './console.ts';
import type { LabHost } from './host.ts';
import type { Lab } from './lab.ts';
import { LAB_GATEWAY } from './names.ts';
import { LabError } from './run.ts';

const FOUND_LIMIT_MS = 30_000;

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
  const token = (await readFile(join(console.dataDir, 'local', 'admin.token'), 'utf8')).trim();
  const wanted = new Map(lab.hosts.map((host) => [host.address, host]));
  const found = await untilFound(console.url, token, [...wanted.keys()]);
  await Promise.all(
    found.map((candidate) => enrolOne(console.url, token, candidate, wanted.get(candidate.address)!, options)),
  );
}

/** Waits on the pushed list until every address is an agent that may be enrolled. */
function untilFound(url: string, token: string, addresses: string[]): Promise<Candidate[]> {
  const uri = '/api/v1/candidates';
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const socket = io(url, { transports: ['websocket'], auth: { token }, forceNew: true });
  return new Promise<Candidate[]>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new LabError(`the scan did not find all agents within ${FOUND_LIMIT_MS / 1000} s`)),
      FOUND_LIMIT_MS,
    );
    const fail = (error: Error) => reject(new LabError(`the console of the lab does not answer: ${error.message}`));
    const look = async () => {
      const answer = (await (await fetch(url + uri, { headers })).json()) as Envelope<Candidate[]>;
      const list = (answer.data ?? []).filter((one) => one.state === 'unenrolled' && addresses.includes(one.address));
      if (list.length < addresses.length) return;
      clearTimeout(timer);
      resolve(list);
    };
    socket.on('connect_error', fail);
    // A change is a hint: the list is read whole.
    socket.on('change', () => void look().catch(fail));
    socket.on('connect', () => {
      socket.emit('subscribe', { uri }, () => {
        fetch(`${url}/api/v1/scans`, { method: 'POST', headers, body: '{}' }).then(look).catch(fail);
      });
    });
  }).finally(() => socket.close());
}

async function enrolOne(
  url: string,
  token: string,
  candidate: Candidate,
  host: LabHost,
  options: EnrolOptions,
): Promise<void> {
  const managerUrl = `https://${LAB_GATEWAY}:${options.port}`;
  const answer = await fetch(`${url}/api/v1/candidates/${candidate.id}/enrol`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ managerUrl }),
  });
  const offer = (await answer.json()) as Envelope<{ token: string }>;
  if (offer.err !== null) throw new LabError(`no token for ${host.name}: ${offer.message}`);
  const { code, stderr } = await host.exec([
    process.execPath,
    join(options.distDir, 'cli', 'main.js'),
    ...['agent', 'enrol', managerUrl, offer.data.token],
    ...['--socket', join(agentDataDir(host), 'agent.sock')],
  ]);
  if (code !== 0) throw new LabError(`${host.name} was not enrolled: ${stderr.trim()}`);
}
