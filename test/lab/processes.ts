import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNetnsOf, type LabNames, MEMBER_VARIABLE, netnsPath } from './names.ts';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Start time in clock ticks since boot, as in /proc/PID/stat. */
  readonly startTicks: number;
}

/** Parent and start time of a process; null when it is gone. */
function readStat(pid: number): { parent: number; startTicks: number; zombie: boolean } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program name stands in brackets and may hold blanks and brackets: count the fields after the last one.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { zombie: fields[0] === 'Z', parent: Number(fields[1]), startTicks: Number(fields[19]) };
  } catch {
    return null;
  }
}

/** Null when there is no such process. */
export function processId(pid: number): ProcessId | null {
  const stat = readStat(pid);
  return stat ? { pid, startTicks: stat.startTicks } : null;
}

export function isRunning(id: ProcessId): boolean {
  const stat = readStat(id.pid);
  return stat !== null && stat.startTicks === id.startTicks && !stat.zombie;
}

/** The one child of a process that forks exactly once (unshare, nsenter); null before the fork and after its end. */
export function onlyChild(pid: number): number | null {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return first ? Number(first) : null;
  } catch {
    return null;
  }
}

/** This process and its ancestors: what must survive even when somebody starts the lab from inside a lab. */
function ourselves(): Set<number> {
  const found = new Set<number>([1]);
  for (let pid = process.pid; pid > 1 && !found.has(pid); ) {
    found.add(pid);
    pid = readStat(pid)?.parent ?? 1;
  }
  return found;
}

function inodeOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

export function netnsOf(names: LabNames): string[] {
  try {
    return readdirSync(netnsPath('')).filter((netns) => isNetnsOf(names, netns));
  } catch {
    return [];
  }
}

function hasMark(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
  } catch {
    return false;
  }
}

function candidates(): string[] {
  const spared = ourselves();
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && !spared.has(Number(entry)));
}

/** Every process in one network namespace. */
export function netnsProcesses(netns: string): number[] {
  const inode = inodeOf(netnsPath(netns));
  if (inode === null) return [];
  return candidates()
    .filter((pid) => inodeOf(`/proc/${pid}/ns/net`) === inode)
    .map(Number);
}

/** The process that is number `innerPid` inside the pid namespace whose first process is `initPid`; null when gone. */
export function outerPid(initPid: number, innerPid: number): number | null {
  const namespace = inodeOf(`/proc/${initPid}/ns/pid`);
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || namespace === null || inodeOf(`/proc/${entry}/ns/pid`) !== namespace) continue;
    try {
      const numbers = /^NSpid:\s+(.+)$/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1]?.split(/\s+/);
      if (Number(numbers?.at(-1)) === innerPid) return Number(entry);
    } catch {
      // Ended while we looked.
    }
  }
  return null;
}

/** Every process in one of the lab's network namespaces or marked as its member. Works without the lab's memory. */
export function labProcesses(names: LabNames): number[] {
  const inodes = new Set(netnsOf(names).map((netns) => inodeOf(netnsPath(netns))));
  inodes.delete(null);
  const mark = `${MEMBER_VARIABLE}=${names.name}`;
  return candidates()
    .filter((pid) => inodes.has(inodeOf(`/proc/${pid}/ns/net`)) || hasMark(pid, mark))
    .map(Number);
}

/**
 * Kills what `find` finds until it finds nothing, since a process may fork while we look.
 * Foreign processes send us no event when they end, so this looks again every few milliseconds.
 * @returns the processes that are still there after `limitMs`.
 */
export async function killUntilGone(find: () => number[], limitMs: number): Promise<number[]> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const pids = find();
    if (pids.length === 0 || performance.now() > endMs) return pids;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone in between.
      }
    }
    await sleep(5);
  }
}
