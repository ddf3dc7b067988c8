import { join } from 'node:path';
import type { QemuImg } from '../../resources/qemu-img.ts';
import type { Resources } from '../../resources/resources.ts';
import type { CommandHypervisor } from '../command-hypervisor.ts';
import type { Outcome } from '../journal-entry.ts';
import { done, failed, unknown } from '../outcomes.ts';
import { processStart } from '../process-start.ts';
import { OFF } from '../verbs/verb.ts';
import type { LaunchArgs } from './launch-args.ts';
import { eventWithin, observed, undoLaunch } from './launch-undo.ts';
import { diskPathOf, openDisk } from './new-disk.ts';
import type { ProcedureCall } from './procedure.ts';

const LOOK_EVERY_MS = 200;
/** A start whose virsh was not written down before the agent ended is seen within this. */
const LATE_START_MS = 3_000;

export interface RecoverDeps {
  resources: Pick<Resources, 'pools' | 'images' | 'changed'>;
  qemuImg: QemuImg;
  consoleLogDir: string;
}

/**
 * Ends a launch that an earlier life of this agent began. A guest that runs is the launch done. A disk into which a guest
 * has written is never removed; one that is as it was made is no loss to anybody, and goes with its definition.
 */
export async function recoverLaunch(call: ProcedureCall<LaunchArgs>, deps: RecoverDeps): Promise<Outcome> {
  const { entry, hypervisor } = call;
  const uuid = entry.instance ?? '';
  if (entry.startedMs === null)
    return failed('op-cancelled', 'The agent was restarted before anything was made. Launch it again.');
  while (entry.pid !== null && entry.pidStart !== null && processStart(entry.pid) === entry.pidStart)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  await untilListed(hypervisor);
  const now = await settled(uuid, hypervisor, entry.pid !== null);
  if (now === 'unknown') return unknown('The agent was restarted in the middle and libvirt does not answer.');
  if (now !== null && !OFF.includes(now.state))
    return done(now, { note: 'The agent was restarted meanwhile; the instance runs.', observed: true });

  const path = await diskOf(uuid, call.args, deps);
  const disk = path === null ? null : await openDisk(path);
  const written = disk !== null && entry.pid !== null && !(await untouched(disk, deps.qemuImg));
  await disk?.close();
  if (written && now !== null)
    return done(now, { note: `It was made and has run; it is ${now.state} now.`, observed: true });
  if (written)
    return unknown(
      `The instance is not defined any more, but its guest has written to ${path}. The disk was left there.`,
    );
  const left = await undoLaunch(
    {
      uuid,
      disk: path === null ? null : { path },
      consoleLog: join(deps.consoleLogDir, `${uuid}.log`),
      defined: now !== null,
    },
    hypervisor,
  );
  void deps.resources.changed();
  const rest = left === null ? 'What it had made was removed.' : `This is left: ${left}.`;
  return failed('op-cancelled', `The agent was restarted before the guest ran. ${rest} Launch it again.`);
}

/** As it is now; when it may be starting this moment, as it is a little later. */
async function settled(uuid: string, hypervisor: CommandHypervisor, mayStart: boolean) {
  const endMs = performance.now() + (mayStart ? LATE_START_MS : 0);
  for (;;) {
    const now = await observed(uuid, hypervisor);
    const isOff = now !== null && now !== 'unknown' && OFF.includes(now.state);
    // What has ended already has a reason that it did not have before its start.
    if (!isOff || performance.now() >= endMs || now.stateReason !== undefined) return now;
    await eventWithin(hypervisor, LOOK_EVERY_MS);
  }
}

/** Where its disk lies or would lie; null when neither its base nor any pool is there now. */
async function diskOf(uuid: string, args: LaunchArgs, { resources }: RecoverDeps): Promise<string | null> {
  const pool = resources.images.get(args.base)?.pool;
  if (pool !== undefined) {
    const folder = await resources.pools.folder(pool).catch(() => null);
    return folder === null ? null : diskPathOf(folder, uuid);
  }
  // The base was forgotten meanwhile.
  for (const folder of await resources.pools.folders()) {
    const file = await openDisk(diskPathOf(folder, uuid));
    await file?.close();
    if (file !== null) return diskPathOf(folder, uuid);
  }
  return null;
}

async function untouched(disk: { fd: number }, qemuImg: QemuImg): Promise<boolean> {
  try {
    return await qemuImg.untouched(disk.fd);
  } catch (error) {
    // An empty or half-written header: the clone was never whole, so no guest has seen it.
    return String(error).includes('not in qcow2 format');
  }
}

async function untilListed(hypervisor: CommandHypervisor): Promise<void> {
  while (!hypervisor.listed() || !hypervisor.facts().libvirtAnswers) await eventWithin(hypervisor, 1_000);
}
