import type { AgentInstance } from '../../../common/model/instance.ts';
import type { CommandHypervisor } from '../command-hypervisor.ts';
import { OFF } from '../verbs/verb.ts';
import { virshFault } from '../virsh-faults.ts';
import { removeConsoleLog } from './console-log.ts';
import { removeFile } from './new-disk.ts';

/** All that belongs to a definition and nothing else; what is not there is no fault. */
export const UNDEFINE = ['undefine', '--managed-save', '--nvram', '--snapshots-metadata', '--checkpoints-metadata'];
/** A libvirtd that was restarted in the middle is back by then. */
const ANSWERS_WITHIN_MS = 45_000;
const DEADLINE_MS = 30_000;

export interface Traces {
  uuid: string;
  disk: { path: string; ino?: number } | null;
  consoleLog: string | null;
  /** The definition may be there. */
  defined: boolean;
}

/**
 * Removes what an unfinished launch has left: the disk first, then the definition, so that a definition whose disk is
 * missing is known for a half-removed one. Answers in words what could not be removed, or null when nothing is left.
 */
export async function undoLaunch(traces: Traces, hypervisor: CommandHypervisor): Promise<string | null> {
  const left: string[] = [];
  const { disk, consoleLog, uuid } = traces;
  if (traces.defined) {
    const now = await observed(uuid, hypervisor);
    if (now === 'unknown') left.push(`the definition, which could not be looked at, and its disk`);
    else if (now !== null && !OFF.includes(now.state)) left.push(`the instance, which is ${now.state}`);
    if (left.length > 0) return left.join('; ');
  }
  const stays = (path: string) => (error: unknown) => void left.push(`${path} (${String(error)})`);
  if (disk !== null) await removeFile(disk.path, disk.ino).catch(stays(disk.path));
  if (consoleLog !== null) await removeConsoleLog(consoleLog).catch(stays(consoleLog));
  if (traces.defined) {
    const fault = await undefine(uuid, hypervisor);
    if (fault !== null) left.push(`the definition (${fault})`);
  }
  return left.length === 0 ? null : left.join('; ');
}

/** Removes a definition; null when it is gone afterwards, else what libvirt says. */
export async function undefine(uuid: string, hypervisor: CommandHypervisor): Promise<string | null> {
  const ran = await hypervisor
    .run(UNDEFINE, uuid, { deadlineMs: DEADLINE_MS })
    .catch((error: unknown) => ({ ended: 'not-started' as const, detail: String(error) }));
  if (ran.ended === 'exit' && ran.code === 0) {
    await hypervisor.observe(uuid).catch(() => null);
    return null;
  }
  if ((await observed(uuid, hypervisor)) === null) return null;
  return ran.ended === 'not-started' ? ran.detail : virshFault(ran.stderr).message;
}

/** The instance as it is now, null when there is none; waits for a libvirt that is away for a moment. */
export async function observed(uuid: string, hypervisor: CommandHypervisor): Promise<AgentInstance | null | 'unknown'> {
  const endMs = performance.now() + ANSWERS_WITHIN_MS;
  for (;;) {
    try {
      return await hypervisor.observe(uuid);
    } catch {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return 'unknown';
      await eventWithin(hypervisor, Math.min(leftMs, 1_000));
    }
  }
}

/** Resolves at the next word of the hypervisor, or when the time is over. */
export function eventWithin(hypervisor: Pick<CommandHypervisor, 'on'>, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      off();
      resolve();
    };
    const timer = setTimeout(end, limitMs);
    const off = hypervisor.on(end);
  });
}
