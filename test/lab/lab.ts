import type { ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { buildLab, hostOf, type Plan, planHosts, prepareLab } from './build.ts';
import { readLabConfig } from './config.ts';
import { execInNetns, type SpawnOptions, spawnInNetns } from './enter.ts';
import { type Forward, forwardPort } from './forward.ts';
import type { LabHost } from './host.ts';
import { labNames, MAX_HOSTS } from './names.ts';
import { isRunning, labProcesses, netnsOf } from './processes.ts';
import { checkRequirements } from './requirements.ts';
import { LabError, type RunOptions, type RunResult } from './run.ts';
import { isAlive, type LabState, readState, writeState } from './state.ts';
import { sweep } from './sweep.ts';

export interface LabOptions {
  /** 'wv-lab' unless told. Labs of different names can be up side by side. */
  readonly name?: string;
  /** 3 unless told, 0 to 64. */
  readonly hosts?: number;
  /** Where the disks of the hosts are kept while the lab is up; an absent or empty folder, not below /run. */
  readonly dir?: string;
  /** 'auto' uses KVM if a guest is seen to boot with it; 'tcg' (the default) emulates. */
  readonly accel?: 'tcg' | 'auto';
  /**
   * True: libvirt's lock manager refuses to start a disk that is in use on another host. False unless told, because
   * with it libvirt 9.0 ends a guest on `virsh reboot`: it asks for the lock that it holds itself.
   */
  readonly locks?: boolean;
  /** True: the lab stays up when this process ends, until somebody takes it down. */
  readonly detached?: boolean;
}

export interface LabStatus {
  /** 'dead': whoever built it is gone without taking it down; `up` and `down` clear it away. */
  readonly state: 'down' | 'up' | 'dead';
  readonly name: string;
  readonly startedMs: number | null;
  readonly dir: string | null;
  readonly accel: 'kvm' | 'tcg' | null;
  /** Why libvirt refuses live migration without --unsafe here; null when it does not. */
  readonly warning: string | null;
  readonly processes: number;
  readonly hosts: readonly { name: string; address: string; uuid: string; running: boolean }[];
}

export interface Lab {
  readonly name: string;
  /** Filled by `up` and `attach`. */
  readonly hosts: readonly LabHost[];
  /** The folder on this machine with everything of this lab; gone after `down`. */
  readonly dir: string;
  /** The folder on this machine that all hosts see as /var/lib/libvirt/images. */
  readonly imagesDir: string;
  /** Builds the lab; takes away a dead one of the same name first. @throws LabError, one line; nothing is left then. */
  up(): Promise<void>;
  /** Takes the lab away, whoever built it and whatever is left of it; also while `up` is under way. */
  down(): Promise<void>;
  /** Fills `hosts` from a lab that another process has built. @throws LabError when there is none. */
  attach(): Promise<void>;
  status(): Promise<LabStatus>;
  /** Runs a program in the lab's namespace to its end; at most 30 s unless told. */
  exec(argv: readonly string[], options?: Omit<RunOptions, 'env'>): Promise<RunResult>;
  /** Starts a program in the lab's namespace, where the manager lives (10.77.0.254, and a 127.0.0.1 of its own). */
  spawn(argv: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Makes 127.0.0.1:listenPort of this machine reach 127.0.0.1:port in the lab. The same number unless told; 0 = free. */
  forward(port: number, listenPort?: number): Promise<Forward>;
}

function checkOptions(options: LabOptions): Plan {
  const names = labNames(options.name ?? 'wv-lab');
  const hostCount = options.hosts ?? 3;
  if (!Number.isInteger(hostCount) || hostCount < 0 || hostCount > MAX_HOSTS) {
    throw new LabError(`a lab has 0 to ${MAX_HOSTS} hosts, not ${hostCount}`);
  }
  const dir = options.dir === undefined ? names.defaultDir : resolve(options.dir);
  if (`${dir}/`.startsWith('/run/'))
    throw new LabError(`hosts cannot see ${dir}: choose a folder that is not below /run`);
  const { accel = 'tcg', locks = false } = options;
  return { names, hostCount, dir, cacheDir: readLabConfig().cacheDir, accel, locks };
}

/** A handle on the lab of this name; touches nothing before `up`, `attach` or `down`. */
export function createLab(options: LabOptions = {}): Lab {
  const plan = checkOptions(options);
  const { names } = plan;
  const forwards: Forward[] = [];
  let state: LabState | null = null;
  let hosts: LabHost[] = [];
  let claimed = false;
  let building: { readonly done: Promise<void>; readonly abort: AbortController } | null = null;
  // One state is written after the other, in the order of what happened.
  let saving: Promise<void> = Promise.resolve();

  const save = (): Promise<void> => {
    saving = saving.then(async () => {
      if (!state) return;
      state = { ...state, hosts: hosts.map(({ name, address, uuid, init }) => ({ name, address, uuid, init })) };
      await writeState(names, state);
    });
    return saving;
  };

  const build = async (signal: AbortSignal): Promise<void> => {
    const prepared = await prepareLab(plan);
    state = prepared;
    claimed = true;
    signal.throwIfAborted();
    hosts = planHosts(plan, prepared, save);
    await buildLab(plan, prepared, hosts, signal);
    if (options.detached) state = { ...prepared, owner: null };
    await save();
  };

  const clear = async (): Promise<void> => {
    state = null;
    await saving.catch(() => {});
    saving = Promise.resolve();
    hosts = [];
    await sweep(names, [plan.dir]);
  };

  return {
    name: names.name,
    get hosts() {
      return hosts;
    },
    get dir() {
      return state?.dir ?? plan.dir;
    },
    get imagesDir() {
      return join(state?.dir ?? plan.dir, 'images');
    },
    async up() {
      checkRequirements();
      if (building) throw new LabError(`lab ${names.name} is being built already`);
      claimed = false;
      const abort = new AbortController();
      const done = build(abort.signal);
      building = { done, abort };
      try {
        await done;
      } catch (error) {
        // Somebody else's lab is left alone: only what we claimed is ours to clear.
        if (claimed) await clear();
        throw error;
      } finally {
        building = null;
      }
    },
    async down() {
      checkRequirements();
      const current = building;
      if (current) {
        current.abort.abort(new LabError(`lab ${names.name} was taken down while it was built`));
        // Ends what is being waited for. Before the claim there may be somebody else's lab of this name: hands off.
        if (state) await clear();
        await current.done.catch(() => {});
      }
      if (!current || claimed) await clear();
      await Promise.all(forwards.splice(0).map((forward) => forward.stop()));
    },
    async attach() {
      const found = await readState(names);
      if (!found || !isAlive(found)) throw new LabError(`lab ${names.name} is not up`);
      state = found;
      hosts = found.hosts.map((known) => hostOf(names, found, known, save));
    },
    async status() {
      const found = await readState(names);
      const processes = labProcesses(names).length;
      const alive = found !== null && isAlive(found);
      const leftovers = found !== null || processes > 0 || netnsOf(names).length > 0;
      return {
        state: alive ? 'up' : leftovers ? 'dead' : 'down',
        name: names.name,
        startedMs: found?.startedMs ?? null,
        dir: found?.dir ?? null,
        accel: found?.accel ?? null,
        warning: found?.storage.reason ?? null,
        processes,
        hosts: (found?.hosts ?? []).map(({ name, address, uuid, init }) => {
          return { name, address, uuid, running: init !== null && isRunning(init) };
        }),
      };
    },
    exec: (argv, runOptions) => execInNetns(names, names.netns, argv, runOptions),
    spawn: (argv, spawnOptions) => spawnInNetns(names, names.netns, argv, spawnOptions),
    async forward(port, listenPort = port) {
      const forward = await forwardPort(names, port, listenPort);
      forwards.push(forward);
      return forward;
    },
  };
}
