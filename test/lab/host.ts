import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { awaitLine } from './await-line.ts';
import { execInHost, type SpawnOptions, spawnInHost } from './enter.ts';
import { defineGuest, type GuestOptions } from './guest.ts';
import { bootHost } from './host-boot.ts';
import { hostNetns, type LabNames } from './names.ts';
import { setCable } from './network.ts';
import { isRunning, killUntilGone, netnsProcesses, outerPid, type ProcessId, processId } from './processes.ts';
import { LabError, type RunOptions, type RunResult } from './run.ts';
import type { SharedStorage } from './storage.ts';

/** One machine of the lab. All calls throw LabError while its power is cut. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  /** As libvirt tells it; the same at every start of the lab. */
  readonly uuid: string;
  /** The folder on this machine that holds the host's /etc/libvirt, /var/lib/libvirt, logs and cache. */
  readonly dir: string;
  /** PID 1 of the host as this machine sees it; null while its power is cut. */
  readonly init: ProcessId | null;
  /** Runs a program inside the host to its end; at most 30 s unless told. */
  exec(argv: readonly string[], options?: Omit<RunOptions, 'env'>): Promise<RunResult>;
  /** Starts a program inside the host. `kill()` reaches the program itself. */
  spawn(argv: readonly string[], options?: SpawnOptions): ChildProcess;
  virsh(...argv: readonly string[]): Promise<RunResult>;
  /** Makes a guest with a disk of its own on the shared folder. Returns its UUID. */
  defineGuest(options: GuestOptions): Promise<string>;
  /** The serial console of a guest while it ran here: a file on this machine that grows. */
  consoleLog(guest: string): string;
  /** Waits for a line on that console; lines already there count. Returns the line. */
  awaitConsole(guest: string, pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Stops libvirtd where it stands (SIGSTOP): connections stay open and nothing is answered. */
  freezeLibvirt(): void;
  thawLibvirt(): void;
  /** Ends libvirtd (SIGTERM, or SIGKILL for a crash) and starts it again; the guests go on running. */
  restartLibvirt(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Pulls and plugs the network cable; the others see silence. */
  disconnect(): Promise<void>;
  reconnect(): Promise<void>;
  /** Everything on the host is gone at once, without a word to anybody; its disks stay. */
  powerCut(): Promise<void>;
  /** Boots it again after a power cut; guests with autostart come back. */
  powerOn(): Promise<void>;
}

export interface HostInput {
  readonly name: string;
  readonly address: string;
  readonly uuid: string;
  readonly dir: string;
  readonly init: ProcessId | null;
  readonly imagesDir: string;
  readonly bootDir: string;
  readonly locksDir: string;
  readonly storage: SharedStorage;
  readonly accel: 'kvm' | 'tcg';
  /** Called after the host got another PID 1 or lost it. */
  readonly changed: () => Promise<void>;
}

const LIBVIRT_END_LIMIT_MS = 30_000;
const POWER_CUT_LIMIT_MS = 15_000;
const CONSOLE_LIMIT_MS = 60_000;

/** A handle on a host; `powerOn` starts it the first time as well. */
export function createLabHost(names: LabNames, input: HostInput): LabHost {
  const netns = hostNetns(names, input.name);
  let init = input.init;

  const mustInit = (): ProcessId => {
    if (!init || !isRunning(init)) throw new LabError(`host ${input.name} is not running`);
    return init;
  };
  const libvirtd = (): ProcessId => {
    const { pid } = mustInit();
    const inner = Number(readFileSync(`/proc/${pid}/root/run/libvirtd.pid`, 'utf8'));
    const found = processId(outerPid(pid, inner) ?? -1);
    if (!found) throw new LabError(`libvirtd of host ${input.name} is not running`);
    return found;
  };
  const exec: LabHost['exec'] = async (argv, options) => execInHost(names, mustInit().pid, argv, options);
  const consoleLog = (guest: string) => join(input.dir, 'log/consoles', `${guest}.log`);

  return {
    name: input.name,
    address: input.address,
    uuid: input.uuid,
    dir: input.dir,
    get init() {
      return init;
    },
    exec,
    spawn: (argv, options) => spawnInHost(names, mustInit().pid, argv, options),
    virsh: (...argv) => exec(['virsh', ...argv]),
    defineGuest(options) {
      const cacheDir = join(input.dir, 'cache');
      return defineGuest({ host: input.name, imagesDir: input.imagesDir, cacheDir, accel: input.accel, exec }, options);
    },
    consoleLog,
    awaitConsole: (guest, pattern, timeoutMs = CONSOLE_LIMIT_MS) => awaitLine(consoleLog(guest), pattern, timeoutMs),
    freezeLibvirt() {
      process.kill(libvirtd().pid, 'SIGSTOP');
    },
    thawLibvirt() {
      process.kill(libvirtd().pid, 'SIGCONT');
    },
    async restartLibvirt(signal = 'SIGTERM') {
      const old = libvirtd();
      // A frozen one does not hear SIGTERM, but it dies of SIGKILL.
      if (signal === 'SIGTERM') process.kill(old.pid, 'SIGCONT');
      process.kill(old.pid, signal);
      const endMs = performance.now() + LIBVIRT_END_LIMIT_MS;
      while (isRunning(old)) {
        if (performance.now() > endMs) throw new LabError(`libvirtd of host ${input.name} does not end`);
        await sleep(10);
      }
      // A thread that hangs in a file system keeps the lock on the pid file for a moment after its process has ended.
      for (;;) {
        const started = await exec(['libvirtd', '--daemon', '--listen']);
        if (started.code === 0) return;
        if (performance.now() > endMs) throw new LabError(`libvirtd of host ${input.name}: ${started.stderr.trim()}`);
        await sleep(50);
      }
    },
    disconnect: () => setCable(names, input.name, 'down'),
    reconnect: () => setCable(names, input.name, 'up'),
    async powerCut() {
      // The cable first: a dying kernel would still say goodbye on every connection, a dead machine does not.
      await setCable(names, input.name, 'down');
      init = null;
      const left = await killUntilGone(() => netnsProcesses(netns), POWER_CUT_LIMIT_MS);
      if (left.length > 0) throw new LabError(`processes of host ${input.name} do not die: ${left.join(', ')}`);
      await input.changed();
    },
    async powerOn() {
      if (init && isRunning(init)) return;
      await setCable(names, input.name, 'up');
      init = await bootHost(names, { ...input, netns, hostDir: input.dir });
      await input.changed();
    },
  };
}
