import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { cgroupsOf } from './cgroups.ts';
import { labNames } from './names.ts';
import { labProcesses, netnsOf } from './processes.ts';

/** Processes that carry the name of the lab, found without the code under test. */
function marked(name: string): number[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const environment = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1');
    } catch {
      return '';
    }
  };
  return pids.filter((pid) => environment(pid).includes(`WEBVIRT_LAB_MEMBER=${name}\0`)).map(Number);
}

/** Everything of a lab that can be seen from outside; all empty when it is gone. */
export function traces(name: string) {
  const names = labNames(name);
  const files = [names.stateDir, names.defaultDir].filter((path) => existsSync(path));
  const claims = existsSync('/run/webvirt-lab')
    ? readdirSync('/run/webvirt-lab').filter((f) => f.startsWith(`.claim-${name}-`))
    : [];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(name));
  return {
    processes: [...new Set([...labProcesses(names), ...marked(name)])],
    netns: netnsOf(names),
    cgroups: cgroupsOf(names),
    files: [...files, ...claims],
    mounts,
  };
}
export const NOTHING = { processes: [], netns: [], cgroups: [], files: [], mounts: [] };

/** Waits until a program says exactly this on its standard output. @throws Error when it ends without. */
export async function line(child: ChildProcess, text: string): Promise<void> {
  for await (const found of createInterface({ input: child.stdout! })) if (found === text) return;
  throw new Error(`ended without saying "${text}"`);
}
