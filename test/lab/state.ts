import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabNames, stateRoot } from './names.ts';
import { isRunning, type ProcessId, processId } from './processes.ts';
import { LabError } from './run.ts';
import type { SharedStorage } from './storage.ts';

export interface HostState {
  readonly name: string;
  readonly address: string;
  readonly uuid: string;
  /** PID 1 of the host as this machine sees it; null while its power is cut. */
  readonly init: ProcessId | null;
}

/** What is written to /run: enough for another process to look at the lab or to take it away. */
export interface LabState {
  readonly name: string;
  readonly dir: string;
  readonly startedMs: number;
  /** Null when the lab was told to outlive the process that made it. */
  readonly owner: ProcessId | null;
  readonly accel: 'kvm' | 'tcg';
  readonly storage: SharedStorage;
  /** The folder with the kernel and the first file system of the guests. */
  readonly bootDir: string;
  readonly hosts: readonly HostState[];
}

const FILE = 'state.json';

/** Null when there is no such lab, or when what is there cannot be read (a lab that died while it was written). */
export async function readState(names: LabNames): Promise<LabState | null> {
  try {
    return JSON.parse(await readFile(join(names.stateDir, FILE), 'utf8')) as LabState;
  } catch {
    return null;
  }
}

export function isAlive(state: LabState): boolean {
  if (state.owner) return isRunning(state.owner);
  return state.hosts.some((host) => host.init !== null && isRunning(host.init));
}

export function ourProcessId(): ProcessId {
  return processId(process.pid)!;
}

/** Replaces the state in one step: a reader sees the old or the new one, never half. */
export async function writeState(names: LabNames, state: LabState): Promise<void> {
  const draft = join(names.stateDir, `${FILE}.new`);
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`);
  await rename(draft, join(names.stateDir, FILE));
}

/**
 * Takes the name of the lab. Renaming a directory onto one that is not empty fails, so of two that try only one gets it.
 * @throws LabError when somebody else was faster.
 */
export async function claimState(names: LabNames, state: LabState): Promise<void> {
  const draft = join(stateRoot, `.claim-${names.name}-${process.pid}`);
  await mkdir(draft, { recursive: true });
  await writeFile(join(draft, FILE), `${JSON.stringify(state, null, 2)}\n`);
  try {
    await rename(draft, names.stateDir);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    throw new LabError(`lab ${names.name} is being started by another process`, { cause });
  }
}
