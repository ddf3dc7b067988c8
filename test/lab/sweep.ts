import { existsSync, readFileSync } from 'node:fs';
import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sweepCgroups } from './cgroups.ts';
import { type LabNames, stateRoot } from './names.ts';
import { killUntilGone, labProcesses, netnsOf } from './processes.ts';
import { LabError, mustRun, run } from './run.ts';
import { readState } from './state.ts';

const KILL_LIMIT_MS = 15_000;

/** Says whose folder it is: nothing without this file is ever deleted. It says so by its name, which is there at once. */
function marker(names: LabNames, dir: string): string {
  return join(dir, `.webvirt-lab-${names.name}`);
}

export async function markDir(names: LabNames, dir: string): Promise<void> {
  await writeFile(marker(names, dir), '');
}

/** The mark goes last: whoever is killed in here leaves a folder that is still known as the lab's. */
async function removeDir(names: LabNames, dir: string): Promise<void> {
  const mark = marker(names, dir);
  const others = (await readdir(dir)).map((entry) => join(dir, entry)).filter((path) => path !== mark);
  await Promise.all(others.map((path) => rm(path, { recursive: true, force: true })));
  await rm(dir, { recursive: true, force: true });
}

/** Folders below `dir` on which something is mounted in our own mount namespace, the deepest first. */
function mountsBelow(dir: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) => path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter((path) => path === dir || path.startsWith(`${dir}/`))
    .reverse();
}

/**
 * Takes a lab away, whatever is left of it: processes, control groups, network namespaces (their links go
 * with them), mounts, files.
 * Needs no memory of the lab: everything is found by its name; the state file only tells of a folder of its own.
 * @param dirs more folders that may belong to the lab
 * @throws LabError when something could not be removed.
 */
export async function sweep(names: LabNames, dirs: readonly string[] = []): Promise<void> {
  const state = await readState(names);
  const survivors = await killUntilGone(() => labProcesses(names), KILL_LIMIT_MS);
  if (survivors.length > 0) throw new LabError(`processes of lab ${names.name} do not die: ${survivors.join(', ')}`);
  const groups = await sweepCgroups(names);
  if (groups.length > 0) throw new LabError(`control groups of lab ${names.name} do not go: ${groups.join(', ')}`);
  await Promise.all(netnsOf(names).map((netns) => mustRun(['ip', 'netns', 'delete', netns])));
  for (const dir of new Set([names.defaultDir, ...dirs, ...(state ? [state.dir] : [])])) {
    if (!existsSync(marker(names, dir))) {
      // A start that was killed before it could mark its folder leaves it empty; anything else in it is not ours.
      await rmdir(dir).catch(() => {});
      continue;
    }
    for (const path of mountsBelow(dir)) await run(['umount', '-l', '--', path]);
    await removeDir(names, dir);
  }
  await rm(names.stateDir, { recursive: true, force: true });
  await sweepClaims(names);
}

/** Removes what a start that was killed in its first step left, and the common folder with the last lab. */
async function sweepClaims(names: LabNames): Promise<void> {
  const entries = await readdir(stateRoot).catch(() => []);
  const prefix = `.claim-${names.name}-`;
  const claims = entries.filter((entry) => entry.startsWith(prefix) && /^\d+$/.test(entry.slice(prefix.length)));
  for (const claim of claims) await rm(join(stateRoot, claim), { recursive: true, force: true });
  await rmdir(stateRoot).catch(() => {});
}
