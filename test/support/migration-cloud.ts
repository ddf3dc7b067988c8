import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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
import { tail, untilBody } from './live.ts';
import { ROOT } from './program.ts';

const distDir = process.env['WEBVIRT_TEST_DIST'] ?? join(ROOT, 'dist');
const PORT = 4600;

const gone = { code: 1, stdout: '', stderr: 'the host is off' };

export const ended = (job: Job) => !['planned', 'running'].includes(job.state);

/** A small cloud of real libvirts with shared storage, its manager and agents: what migrations are tried on. */
export async function migrationCloud(name: string, hosts: number, locks = false, moreAgentEnv: NodeJS.ProcessEnv = {}) {
  const lab = createLab({ name: `${name}-${process.pid}`, hosts, locks });
  const sockets: Socket[] = [];
  const agentEnv: NodeJS.ProcessEnv = {
    WEBVIRT_AGENT_LIBVIRT_PEER_URI: 'qemu+tcp://{address}/system',
    WEBVIRT_AGENT_MIGRATION_GIVE_UP: '1s',
    ...moreAgentEnv,
  };
  // A host that is gone is noticed in seconds.
  const managerEnv: NodeJS.ProcessEnv = {
    WEBVIRT_LINKS_SILENCE: '3s',
    WEBVIRT_LINKS_PING: '1s',
    WEBVIRT_JOBS_PATIENCE: '5s',
  };
  await lab.up();
  let cloud: LabConsole;
  try {
    const envFor = async (program: string) => ({ 'node-agent': agentEnv, manager: managerEnv })[program] ?? {};
    cloud = await startConsole(lab, { distDir, port: PORT, listenPort: 0, envFor });
    await enrolHosts(lab, cloud, { distDir, port: PORT });
  } catch (error) {
    await lab.down();
    throw error;
  }
  let manager = cloud.manager;
  const managers: ChildProcess[] = [];
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
    /** The same, once they satisfy the test: the last ones come a moment after the job's end. */
    async linesUntil(job: string, test: (lines: Line[]) => boolean): Promise<Line[]> {
      const live = tail(socket(), { job, backlog: 500 });
      await live.started;
      return live.until(test);
    },
    /** Runs a command line in the guest's shell on its serial console. */
    async typeInto(host: LabHost, name: string, command: string): Promise<void> {
      const shell = host.spawn(['script', '-qec', `virsh console ${name} --force`, '/dev/null']);
      shell.stdin?.on('error', () => undefined);
      await once(shell.stdout!, 'data');
      // Enter opens the shell; until it is there what is typed is lost.
      const typing = setInterval(() => shell.stdin?.write("\necho ty''ped\n"), 300);
      await host.awaitConsole(name, /^typed/).finally(() => clearInterval(typing));
      shell.stdin?.write(`${command}\necho be''gun\n`);
      await host.awaitConsole(name, /^begun/);
      shell.kill('SIGKILL');
    },
    /** What libvirt itself says of an instance on a host: `running`, `paused`, `shut off`, or null. */
    async really(host: LabHost, id: string): Promise<string | null> {
      const { code, stdout } = await host.virsh('domstate', '--domain', id);
      return code === 0 ? stdout.trim() : null;
    },
    /** The same, again and again while its libvirt is just coming up. */
    async truth(host: LabHost, id: string): Promise<string | null> {
      for (;;) {
        const { code, stdout, stderr } = await host.exec(['virsh', 'domstate', '--domain', id]).catch(() => gone);
        if (code === 0) return stdout.trim();
        if (!/failed to connect|client socket|End of file/i.test(stderr)) return null;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async killManager() {
      const left = once(manager, 'exit');
      manager.kill('SIGKILL');
      await left;
    },
    async startManager() {
      manager = lab.spawn([process.execPath, '--enable-source-maps', join(distDir, 'manager', 'main.js')], {
        env: {
          ...managerEnv,
          WEBVIRT_DATA_DIR: cloud.dataDir,
          WEBVIRT_PORT: String(PORT),
          WEBVIRT_LISTEN: '0.0.0.0',
          WEBVIRT_STOP_WITH_STDIN: '1',
        },
        cwd: cloud.dataDir,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      managers.push(manager);
      await once(manager.stdout!, 'data');
    },
    async killAgent(host: LabHost) {
      const agent = cloud.agents.get(host.name)!;
      const left = once(agent, 'exit');
      agent.kill('SIGKILL');
      await left;
    },
    async killQemu(host: LabHost, name: string) {
      const pid = (await host.exec(['cat', `/run/libvirt/qemu/${name}.pid`])).stdout.trim();
      if (pid !== '') await host.exec(['kill', '-9', pid]);
    },
    async stop() {
      for (const one of sockets) one.close();
      for (const one of managers) one.kill('SIGTERM');
      await cloud.stop();
      await lab.down();
    },
  };
  return world;
}
export type MigrationCloud = Awaited<ReturnType<typeof migrationCloud>>;
