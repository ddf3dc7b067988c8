import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabNames } from './names.ts';

/** One control-group file system of this machine. */
export interface CgroupMount {
  readonly path: string;
  /** Of a v1 hierarchy its controllers, such as `cpu,cpuacct`; null for v2. */
  readonly controllers: string | null;
}

const CONTROLLERS = ['memory', 'cpu', 'pids', 'cpuacct'];
const EMPTY_LIMIT_MS = 15_000;

/** The hierarchies with what a computation is limited by, as they are mounted here. */
export function cgroupMounts(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): CgroupMount[] {
  const found: CgroupMount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const [kind, , options] = right?.split(' ') ?? [];
    const path = left!.split(' ')[4] ?? '';
    if (kind === 'cgroup2') found.push({ path, controllers: null });
    if (kind !== 'cgroup') continue;
    const controllers = options!.split(',').filter((word) => CONTROLLERS.includes(word));
    if (controllers.length > 0) found.push({ path, controllers: controllers.join(',') });
  }
  return found;
}

/**
 * What to mount at a place of its own for a compute server: `v2`, or each v1 hierarchy by its controllers. Empty where
 * this machine has neither: then nothing can be contained, and the server says so.
 */
export function cgroupWishes(mounts = cgroupMounts()): string[] {
  const v2 = mounts.find(({ path, controllers }) => controllers === null && holdsAll(path));
  if (v2) return ['v2'];
  return [...new Set(mounts.flatMap(({ controllers }) => controllers ?? []))];
}

function holdsAll(path: string): boolean {
  try {
    const words = readFileSync(join(path, 'cgroup.controllers'), 'utf8').split(/\s+/);
    return ['memory', 'cpu', 'pids'].every((word) => words.includes(word));
  } catch {
    return false;
  }
}

/** The name of the control group of one host: it tells whose it is, also when nobody is left to ask. */
export const cgroupName = (names: LabNames, host: string) => `webvirt-lab-${names.name}-${host}`;

/** Control groups that carry the name of this lab, in every hierarchy. */
export function cgroupsOf(names: LabNames): string[] {
  const prefix = cgroupName(names, 'h');
  return cgroupMounts().flatMap(({ path }) => {
    try {
      const entries = readdirSync(path).filter((entry) => /^\d+(-server)?$/.test(entry.slice(prefix.length)));
      return entries.filter((entry) => entry.startsWith(prefix)).map((entry) => join(path, entry));
    } catch {
      return [];
    }
  });
}

function withChildren(path: string): string[] {
  try {
    const inner = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...inner.flatMap((entry) => withChildren(join(path, entry.name))), path];
  } catch {
    return [];
  }
}

function killAndRemove(path: string): void {
  try {
    for (const pid of readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n')) {
      if (Number(pid) > 1) process.kill(Number(pid), 'SIGKILL');
    }
    rmdirSync(path);
  } catch {
    // Not empty yet, or gone: the next look tells.
  }
}

/**
 * Kills what is left in the control groups of a lab and removes them. A dead process leaves its group a moment after its
 * end, without telling us; so this looks again every few milliseconds.
 * @returns the groups that are still there.
 */
export async function sweepCgroups(names: LabNames): Promise<string[]> {
  const endMs = performance.now() + EMPTY_LIMIT_MS;
  for (;;) {
    const groups = cgroupsOf(names);
    if (groups.length === 0 || performance.now() > endMs) return groups;
    for (const path of groups.flatMap(withChildren)) killAndRemove(path);
    if (cgroupsOf(names).length > 0) await sleep(5);
  }
}
