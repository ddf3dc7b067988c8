import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { BaseImage, HostResources } from '../../common/model/resources.ts';
import { untilBody } from './live.ts';
import { type PrivateLibvirtd, startPrivateLibvirtd } from './private-libvirtd.ts';
import { run } from './run.ts';
import { type Stack, startStack } from './stack.ts';

/** Manager and agent as real programs over a libvirtd of their own, with a pool in a temporary folder. */
export interface LaunchRig {
  libvirt: PrivateLibvirtd;
  stack: Stack;
  /** Real path of the pool `default`. */
  pool: string;
  consoles: string;
  agentEnv: Record<string, string>;
  hostId: string;
  /** Makes an empty disk of 8 MiB in the pool and registers it; answers when that is done. */
  registerBase(name: string): Promise<void>;
  /** Watches a job to its end over the socket. */
  ended(jobId: string): Promise<Job>;
  /** A call that must be accepted, and its job when it has ended. */
  job(method: string, path: string, body?: unknown): Promise<Job>;
  /** Starts an agent after the last one ended, at the same port; resolves when the host is online again. */
  startAgent(env?: Record<string, string>): Promise<void>;
  instances(): Promise<Instance[]>;
  /** Writes into a disk of the pool, as a guest does. */
  write(disk: string): Promise<unknown>;
  /** Names of the files in the pool. */
  files(): string[];
  stop(): Promise<void>;
}

export async function startLaunchRig(env: (dir: string) => Record<string, string> = () => ({})): Promise<LaunchRig> {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-launch-'));
  const pool = join(dir, 'pool');
  const consoles = join(dir, 'consoles');
  mkdirSync(pool);
  const libvirt = await startPrivateLibvirtd();
  const agentEnv = {
    WEBVIRT_AGENT_LIBVIRT_URI: libvirt.uri,
    WEBVIRT_AGENT_LIBVIRT_RUN_DIR: libvirt.runDir,
    WEBVIRT_AGENT_QEMU_LOG_DIR: libvirt.qemuLogDir,
    WEBVIRT_AGENT_POOLS: `default=${pool}`,
    WEBVIRT_AGENT_CONSOLE_LOG_DIR: consoles,
    ...env(dir),
  };
  const stack = await startStack({ agent: agentEnv });
  const socket = stack.socket();

  async function online(): Promise<string> {
    const is = (all: Host[]) => all[0]?.state === 'online';
    const [host] = await untilBody<Host[]>(socket, '/api/v1/hosts', is);
    for (;;) {
      const uri = `/api/v1/hosts/${host!.id}/resources`;
      const { body } = await stack.api<HostResources>('GET', uri);
      if (body.err === null && body.data.domainType !== null) return host!.id;
      // Before its first word there is nothing to subscribe to.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const hostId = await online();
  const ended = (id: string) =>
    untilBody<Job>(socket, `/api/v1/jobs/${id}`, ({ state }) => !['planned', 'running'].includes(state));
  const rig: LaunchRig = {
    ...{ libvirt, stack, pool, consoles, agentEnv, hostId, ended },
    async registerBase(name) {
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '--', join(pool, `${name}.qcow2`), '8M']);
      const body = { host: hostId, name, pool: 'default', file: `${name}.qcow2`, format: 'qcow2' };
      const job = await rig.job('POST', '/api/v1/images', body);
      if (job.state !== 'done') throw new Error(`register: ${JSON.stringify(job.error)}`);
      await untilBody<BaseImage[]>(socket, '/api/v1/images', (all) => all.some((image) => image.name === name));
    },
    async job(method, path, body) {
      const answer = await stack.api<{ job: Job }>(method, path, body);
      if (answer.body.err !== null)
        throw Object.assign(new Error(`${answer.body.err}: ${answer.body.message}`), { code: answer.body.err });
      return ended(answer.body.data.job.id);
    },
    async startAgent(change = {}) {
      const port = String(stack.agent?.ready['port']);
      await stack.startAgent({ ...agentEnv, WEBVIRT_AGENT_PORT: port, ...change });
      await online();
    },
    instances: () => stack.get<Instance[]>('/api/v1/instances'),
    write: (disk) => run('qemu-io', ['-f', 'qcow2', '-c', 'write 0 4k', '--', join(pool, disk)]),
    files: () => readdirSync(pool).sort(),
    async stop() {
      await stack.stop();
      await libvirt.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return rig;
}
