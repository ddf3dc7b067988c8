import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { Line } from '../../common/model/line.ts';
import type { Envelope } from '../../common/wire/envelope.ts';
import type { ClientEvents, ServerEvents } from '../../common/wire/live.ts';
import { type LabConsole, startConsole } from '../lab/console.ts';
import { enrolHosts } from '../lab/enrol.ts';
import type { LabHost } from '../lab/host.ts';
import { createLab } from '../lab/lab.ts';
import { untilBody } from './live.ts';
import { ROOT } from './program.ts';

const distDir = process.env['WEBVIRT_TEST_DIST'] ?? join(ROOT, 'dist');
const PORT = 4600;

export const ended = (job: Job) => !['planned', 'running'].includes(job.state);

/** A small cloud of real libvirts with shared storage, its manager and agents: what migrations are tried on. */
export async function migrationCloud(name: string, hosts: number) {
  const lab = createLab({ name: `${name}-${process.pid}`, hosts });
  const sockets: Socket[] = [];
  const agentEnv: NodeJS.ProcessEnv = {
    WEBVIRT_AGENT_LIBVIRT_PEER_URI: 'qemu+tcp://{address}/system',
    WEBVIRT_AGENT_MIGRATION_GIVE_UP: '1s',
  };
  await lab.up();
  let cloud: LabConsole;
  try {
    const envFor = async (program: string) => (program === 'node-agent' ? agentEnv : {});
    cloud = await startConsole(lab, { distDir, port: PORT, listenPort: 0, envFor });
    await enrolHosts(lab, cloud, { distDir, port: PORT });
  } catch (error) {
    await lab.down();
    throw error;
  }
  const token = readFileSync(join(cloud.dataDir, 'local', 'admin.token'), 'utf8').trim();

  function socket(): Socket<ServerEvents, ClientEvents> {
    const one = io(cloud.url, { transports: ['websocket'], auth: { token }, forceNew: true });
    sockets.push(one);
    return one;
  }

  async function call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Envelope<T> }> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' };
    const answer = await fetch(cloud.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  async function until<T>(uri: string, test: (body: T) => boolean): Promise<T> {
    const one = socket();
    try {
      return await untilBody<T>(one, uri, test);
    } finally {
      one.close();
    }
  }

  const world = {
    lab,
    cloud,
    call,
    socket,
    until,
    host: (n: 1 | 2 | 3): LabHost => lab.hosts[n - 1]!,
    /** The manager's id of a host of the lab. */
    async idOf(host: LabHost): Promise<string> {
      const list = await until<Host[]>('/api/v1/hosts', (all) => all.some(({ name: named }) => named === host.name));
      return list.find(({ name: named }) => named === host.name)!.id;
    },
    online: () =>
      until<Host[]>(
        '/api/v1/hosts',
        (all) => all.filter(({ state, libvirtAnswers }) => state === 'online' && libvirtAnswers).length === hosts,
      ),
    shown: (id: string, test: (instance: Instance) => boolean) =>
      until<Instance[]>('/api/v1/instances', (all) => all.some((one) => one.id === id && test(one))),
    /** Asks for a move; the answer of the call. */
    async move(id: string, to: LabHost, more: Record<string, unknown> = {}) {
      return call<{ job: Job }>('POST', `/api/v1/instances/${id}/migrate`, { target: await world.idOf(to), ...more });
    },
    job: (id: string, test: (job: Job) => boolean) => until<Job>(`/api/v1/jobs/${id}`, test),
    outcome: (id: string) => until<Job>(`/api/v1/jobs/${id}`, ended),
    /** All lines of a job, oldest first. */
    async lines(job: string): Promise<Line[]> {
      const answer = await call<{ lines: Line[] }>('GET', `/api/v1/logs?job=${job}&limit=1000`);
      return (answer.body.data?.lines ?? []).toReversed();
    },
    /** What libvirt itself says of an instance on a host: `running`, `paused`, `shut off`, or null. */
    async really(host: LabHost, id: string): Promise<string | null> {
      const { code, stdout } = await host.virsh('domstate', '--domain', id);
      return code === 0 ? stdout.trim() : null;
    },
    async stop() {
      for (const one of sockets) one.close();
      await cloud.stop();
      await lab.down();
    },
  };
  return world;
}
export type MigrationCloud = Awaited<ReturnType<typeof migrationCloud>>;
