import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { chooseAccel } from './accel.ts';
import { prepareTiny } from './base-image.ts';
import { prepareGuestImage } from './guest-image.ts';
import { createLabHost, type LabHost } from './host.ts';
import { writeHostFiles } from './host-files.ts';
import { hostAddress, hostName, hostUuid, type LabNames } from './names.ts';
import { createNetwork } from './network.ts';
import { findProgram } from './requirements.ts';
import { LabError } from './run.ts';
import { claimState, type HostState, isAlive, type LabState, ourProcessId, readState } from './state.ts';
import { prepareSharedStorage } from './storage.ts';
import { markDir, sweep } from './sweep.ts';

export interface Plan {
  readonly names: LabNames;
  readonly hostCount: number;
  readonly dir: string;
  readonly cacheDir: string;
  readonly accel: 'tcg' | 'auto';
  readonly locks: boolean;
}

/**
 * Everything that changes nothing but the cache, then the claim on the name. A dead lab of the same name goes away first.
 * @throws LabError when a live lab has the name, or the folder holds something else.
 */
export async function prepareLab(plan: Plan): Promise<LabState> {
  const { names, dir, cacheDir } = plan;
  const old = await readState(names);
  if (old && isAlive(old)) {
    const by = old.owner ? `used by process ${old.owner.pid}` : `up with ${old.hosts.length} hosts`;
    throw new LabError(`lab ${names.name} is ${by}: take it down first, or choose another name`);
  }
  const [image, storage] = await Promise.all([prepareGuestImage(cacheDir), prepareSharedStorage(cacheDir)]);
  const accel = await chooseAccel(plan.accel, image);
  await sweep(names, [dir]);
  const found = await readdir(dir).catch(() => []);
  if (found.length > 0) throw new LabError(`${dir} is not empty: the lab needs a folder of its own`);
  const state: LabState = {
    name: names.name,
    dir,
    startedMs: Date.now(),
    owner: ourProcessId(),
    accel,
    storage,
    bootDir: image.dir,
    hosts: [],
  };
  await claimState(names, state);
  return state;
}

/** A handle on one host of a lab, running or not. */
export function hostOf(names: LabNames, state: LabState, known: HostState, changed: () => Promise<void>): LabHost {
  return createLabHost(names, {
    ...known,
    dir: join(state.dir, known.name),
    imagesDir: join(state.dir, 'images'),
    locksDir: join(state.dir, 'locks'),
    bootDir: state.bootDir,
    storage: state.storage,
    accel: state.accel,
    changed,
  });
}

/** Handles on the hosts of a lab that is about to be built. */
export function planHosts(plan: Plan, state: LabState, changed: () => Promise<void>): LabHost[] {
  return Array.from({ length: plan.hostCount }, (_, i) => {
    const name = hostName(i + 1);
    const known = { name, address: hostAddress(i + 1), uuid: hostUuid(plan.names, name), init: null };
    return hostOf(plan.names, state, known, changed);
  });
}

/** libvirt's answers are good for one QEMU, one libvirt and one kernel; it checks that itself, we only keep them apart. */
async function capabilitiesKey(): Promise<string> {
  const programs = ['qemu-system-x86_64', 'libvirtd'].map((program) => findProgram(program)!);
  const times = await Promise.all(programs.map(async (path) => (await stat(path)).mtimeMs));
  return createHash('sha256')
    .update(`${release()} ${times.join(' ')}`)
    .digest('hex')
    .slice(0, 12);
}

/**
 * Builds network and hosts, all hosts at once. Every step has a time limit of its own.
 * Stops between two steps when `signal` fires; what is there then is for the caller to sweep.
 */
export async function buildLab(
  plan: Plan,
  state: LabState,
  hosts: readonly LabHost[],
  signal: AbortSignal,
): Promise<void> {
  const { names, hostCount, locks } = plan;
  const capabilitiesDir = join(plan.cacheDir, `capabilities-${await capabilitiesKey()}`);
  await mkdir(state.dir, { recursive: true });
  await markDir(names, state.dir);
  await Promise.all(['images', 'locks'].map((folder) => mkdir(join(state.dir, folder), { recursive: true })));
  await prepareTiny(join(state.dir, 'images'), state.bootDir);
  signal.throwIfAborted();
  await createNetwork(names, hostCount);
  const bootOne = async (host: LabHost) => {
    const { name, address, uuid } = host;
    await writeHostFiles(host.dir, { name, address, uuid, hostCount, locks, capabilitiesDir });
    signal.throwIfAborted();
    await host.powerOn();
  };
  // All are waited for, also when one fails: a host that boots after the sweep would stay.
  const outcomes = await Promise.allSettled(hosts.map(bootOne));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  signal.throwIfAborted();
  if (hosts[0] && !existsSync(capabilitiesDir)) {
    // libvirt probes its QEMU programs once, for more than a second; the hosts of later labs start with the answer.
    await hosts[0].virsh('capabilities');
    await cp(join(hosts[0].dir, 'cache/qemu/capabilities'), capabilitiesDir, { recursive: true }).catch(() => {});
  }
}
