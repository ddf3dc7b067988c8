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
  if (path === 'unknown')
    return unknown('The agent was restarted in the middle, and a pool in which its disk may lie cannot be read now.');
  const disk = path === null ? null : await openDisk(path);
  // Somebody else may have started it meanwhile, so the disk is asked even where we never did.
  const written = disk === null ? 'no' : await isWritten(disk, deps.qemuImg);
  await disk?.close();
  // A saved guest has run, even where its disk was never written to.
  if (now !== null && (written === 'yes' || now.state === 'saved'))
    return done(now, { note: `It was made and has run; it is ${now.state} now.`, observed: true });
  if (written === 'yes')
    return unknown(
      `The instance is not defined any more, but its guest has written to ${path}. The disk was left there.`,
    );
  // What was never defined or started can only be half made.
  if (written === 'unknown' && (now !== null || entry.pid !== null))
    return unknown(`The agent was restarted in the middle, and whether a guest has written to ${path} cannot be told.`);
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

/**
 * Where its disk lies, in whatever pool: the base may have been forgotten meanwhile, or registered in another pool. Null
 * when there is none, `unknown` when it may lie in a pool that cannot be read now.
 */
async function diskOf(
  uuid: string,
  { base }: LaunchArgs,
  { resources }: RecoverDeps,
): Promise<string | null | 'unknown'> {
  const pools = await resources.pools.read();
  for (const { path, fault } of pools) {
    const file = fault === undefined ? await openDisk(diskPathOf(path, uuid)) : null;
    await file?.close();
    if (file !== null) return diskPathOf(path, uuid);
  }
  const likely = resources.images.get(base)?.pool;
  const away = pools.filter(({ name, fault }) => fault !== undefined && (likely === undefined || name === likely));
  return away.length > 0 ? 'unknown' : null;
}

async function isWritten(disk: { fd: number }, qemuImg: QemuImg): Promise<'yes' | 'no' | 'unknown'> {
  try {
    return (await qemuImg.untouched(disk.fd)) ? 'no' : 'yes';
  } catch (error) {
    // An empty or half-written header: the clone was never whole, so no guest has seen it.
    return String(error).includes('not in qcow2 format') ? 'no' : 'unknown';
  }
}

async function untilListed(hypervisor: CommandHypervisor): Promise<void> {
  while (!hypervisor.listed() || !hypervisor.facts().libvirtAnswers) await eventWithin(hypervisor, 1_000);
}
