import type { ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_POOL, SHARED_POOL } from './base-image.ts';
import { startCompute } from './compute.ts';
import type { LabHost } from './host.ts';
import { IMAGES_DIR, LOCAL_POOL_DIR } from './host-files.ts';
import type { Lab } from './lab.ts';
import { LAB_CIDR } from './names.ts';
import { type OnLine, stopChild, untilReady } from './programs.ts';

export const AGENT_PORT = 4601;
/** What an agent of the lab is told of its host: the pools, and how it reaches the libvirt of another. */
const AGENT_ENV = {
  WEBVIRT_AGENT_LIBVIRT_URI: 'qemu:///system',
  WEBVIRT_AGENT_LIBVIRT_PEER_URI: 'qemu+tcp://{address}/system',
  WEBVIRT_AGENT_POOLS: `${SHARED_POOL}=${IMAGES_DIR},${LOCAL_POOL}=${LOCAL_POOL_DIR}`,
};

type ProgramName = 'manager' | 'crawler' | 'node-agent';

export interface ConsoleOptions {
  /** The folder with `<program>/main.js` of each program. */
  readonly distDir: string;
  /** Port of the manager in the lab. */
  readonly port: number;
  /** Port on 127.0.0.1 of this machine; the same number unless told, 0 takes a free one. */
  readonly listenPort?: number;
  /** Sets the first password instead of having one made up. */
  readonly adminPassword?: string;
  /** More variables for one program, such as the enrolment file of an agent; asked when the manager is up. */
  readonly envFor?: (program: ProgramName, host: LabHost | null, dataDir: string) => Promise<NodeJS.ProcessEnv>;
  /** Keys of the compute servers' configuration; absent: hosts have none, and offer no computations. */
  readonly compute?: Record<string, unknown>;
  readonly onLine?: OnLine;
}

export interface LabConsole {
  /** The console as a browser on this machine reaches it. */
  readonly url: string;
  readonly firstPassword: string | null;
  /** The manager's data directory. */
  readonly dataDir: string;
  readonly manager: ChildProcess;
  readonly crawler: ChildProcess;
  /** By the name of the host. Add to it with `startAgent` after a power cut. */
  readonly agents: ReadonlyMap<string, ChildProcess>;
  startAgent(host: LabHost): Promise<ChildProcess>;
  /** The compute servers, by the name of the host. */
  readonly computes: ReadonlyMap<string, ChildProcess>;
  /** Starts the one of a host: the first time, after a power cut, or in the place of one that runs. */
  startCompute(host: LabHost): Promise<ChildProcess>;
  /** Fulfilled when the manager ends, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Where an agent keeps its identity and its spool: a folder of its host. */
export function agentDataDir(host: LabHost): string {
  return join(host.dir, 'agent');
}

/**
 * Starts the whole console in a lab that is up: the manager and the crawler in the lab's namespace, an agent in every
 * host, and the way in from this machine. The programs end with this process, however it ends.
 * @throws LabError when one of them does not come up; what was started is stopped then.
 */
export async function startConsole(lab: Lab, options: ConsoleOptions): Promise<LabConsole> {
  const onLine = options.onLine ?? (() => {});
  const dataDir = join(lab.dir, 'manager');
  const agents = new Map<string, ChildProcess>();
  const computes = new Map<string, ChildProcess>();
  const started: ChildProcess[] = [];

  const launch = async (program: ProgramName, host: LabHost | null, own: string, env: NodeJS.ProcessEnv) => {
    await mkdir(own, { recursive: true, mode: 0o700 });
    const more = (await options.envFor?.(program, host, dataDir)) ?? {};
    const child = (host ?? lab).spawn(
      [process.execPath, '--enable-source-maps', join(options.distDir, program, 'main.js')],
      {
        // Its standard input ends with us: that is how it knows to stop when we are killed.
        env: { ...env, WEBVIRT_STOP_WITH_STDIN: '1', ...more },
        cwd: own,
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      },
    );
    child.stdin?.on('error', () => {});
    started.push(child);
    return { child, ready: await untilReady(host ? `${program} ${host.name}` : program, child, onLine) };
  };

  const startAgent = async (host: LabHost): Promise<ChildProcess> => {
    const own = agentDataDir(host);
    const { child } = await launch('node-agent', host, own, {
      WEBVIRT_AGENT_DATA_DIR: own,
      WEBVIRT_AGENT_LISTEN: host.address,
      WEBVIRT_AGENT_PORT: String(AGENT_PORT),
      ...AGENT_ENV,
    });
    agents.set(host.name, child);
    return child;
  };

  const startComputeOf = async (host: LabHost): Promise<ChildProcess> => {
    const old = computes.get(host.name);
    if (old) await stopChild(old);
    const child = await startCompute(lab.name, host, options.compute, onLine);
    computes.set(host.name, child);
    started.push(child);
    return child;
  };

  const stop = async () => {
    // The last started first: the manager hears the last words of all others.
    const [manager, ...others] = started;
    await Promise.all(others.map(stopChild));
    if (manager) await stopChild(manager);
  };

  try {
    const manager = await launch('manager', null, dataDir, {
      WEBVIRT_DATA_DIR: dataDir,
      WEBVIRT_PORT: String(options.port),
      WEBVIRT_LISTEN: '0.0.0.0',
      ...(options.adminPassword === undefined ? {} : { WEBVIRT_ADMIN_PASSWORD: options.adminPassword }),
    });
    const crawlerDir = join(lab.dir, 'crawler');
    // All are waited for, also when one fails: one that starts after the stop would stay.
    const [crawler, ...others] = await Promise.allSettled([
      launch('crawler', null, crawlerDir, {
        WEBVIRT_MANAGER_URL: `http://127.0.0.1:${options.port}`,
        WEBVIRT_CRAWLER_TOKEN_FILE: join(dataDir, 'local', 'crawler.token'),
        WEBVIRT_CRAWLER_DATA_DIR: crawlerDir,
        WEBVIRT_CRAWLER_RANGES: LAB_CIDR,
        WEBVIRT_AGENT_PORT: String(AGENT_PORT),
      }),
      ...lab.hosts.map(startAgent),
      ...(options.compute === undefined ? [] : lab.hosts.map(startComputeOf)),
    ]);
    if (crawler.status === 'rejected') throw crawler.reason;
    for (const other of others) if (other.status === 'rejected') throw other.reason;
    const forward = await lab.forward(options.port, options.listenPort);
    return {
      url: `http://127.0.0.1:${forward.port}`,
      firstPassword: manager.ready.firstPassword ?? null,
      dataDir,
      manager: manager.child,
      crawler: crawler.value.child,
      agents,
      startAgent,
      computes,
      startCompute: startComputeOf,
      ended: new Promise((resolve) => manager.child.once('exit', () => resolve())),
      async stop() {
        await forward.stop();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
