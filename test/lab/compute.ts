import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cgroupName, cgroupWishes } from './cgroups.ts';
import type { LabHost } from './host.ts';
import { labNames } from './names.ts';
import { type OnLine, untilReady } from './programs.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const MAIN = resolve(HERE, '../../node-agent/compute/server/main.py');
const PYTHON = '/usr/bin/python3';
/** Inside the host, seen by its compute server alone. */
const CGROUP_PLACE = '/run/webvirt-cgroup';
const MODULES = '/usr/lib/python3/dist-packages';
const NEEDED = [PYTHON, MAIN, join(MODULES, 'IPython'), '/usr/share/doc/python3-seccomp'];

/** Why no host of a lab here can compute; null where they can. */
export function computeMissing(): string | null {
  const missing = NEEDED.find((path) => !existsSync(path));
  if (missing !== undefined) return `not installed: ${missing}`;
  return cgroupWishes().length === 0 ? 'this machine has no control groups' : null;
}

export const sageInstalled = () => existsSync(join(MODULES, 'sage/all.py'));

/** The socket of the compute server of a host: where its agent looks for it. */
export const computeSocket = (host: LabHost) => join(host.dir, 'agent', 'compute.sock');

/**
 * Starts the compute server of a host and waits until it listens; its kernels may still be loading. It ends with this
 * process, and its control groups carry the names of lab and host, so that a sweep finds them.
 * @param lab the name of the lab
 * @param settings keys of its configuration; one Sage waits instead of two unless told
 * @throws LabError when it does not come up.
 */
export async function startCompute(
  lab: string,
  host: LabHost,
  settings: Record<string, unknown> = {},
  onLine: OnLine = () => {},
): Promise<ChildProcess> {
  const folder = dirname(computeSocket(host));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const configFile = join(folder, 'compute.json');
  const config = {
    pool: { python: 1, sage: 1 },
    ...settings,
    cgroupRoot: CGROUP_PLACE,
    cgroupName: cgroupName(labNames(lab), host.name),
  };
  await writeFile(configFile, JSON.stringify(config));
  const server = [PYTHON, '-I', MAIN, '--socket', computeSocket(host), '--config', configFile];
  const child = host.spawn(
    [
      ...['unshare', '--mount', '--', 'sh', join(HERE, 'compute-init.sh'), CGROUP_PLACE],
      ...[...cgroupWishes(), '--', ...server],
    ],
    { env: { WEBVIRT_STOP_WITH_STDIN: '1' }, stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  child.stdin?.on('error', () => {});
  await untilReady(`compute ${host.name}`, child, onLine);
  return child;
}
