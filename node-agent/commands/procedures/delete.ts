import { join } from 'node:path';
import { z } from 'zod';
import { isWebvirtError, WebvirtError } from '../../../common/errors.ts';
import type { QemuImg } from '../../resources/qemu-img.ts';
import type { Resources } from '../../resources/resources.ts';
import type { Outcome } from '../journal-entry.ts';
import { done, failed, unknown } from '../outcomes.ts';
import { processStart } from '../process-start.ts';
import { OFF } from '../verbs/verb.ts';
import { virshFault } from '../virsh-faults.ts';
import { removeConsoleLog } from './console-log.ts';
import { domainDisks } from './domain-files.ts';
import { eventWithin, observed, undefine } from './launch-undo.ts';
import { openDisk, removeFile } from './new-disk.ts';
import { type DiskVerdicts, judgeDisks, type OwnDiskDeps } from './own-disks.ts';
import { defineProcedure, type Procedure, type ProcedureCall } from './procedure.ts';
import type { Removal, Removals } from './removals.ts';

const deleteArgs = z.strictObject({
  /** Switches off what runs first; without it that is refused. */
  force: z.boolean().default(false),
});
type DeleteArgs = z.output<typeof deleteArgs>;

const DEADLINE_MS = 30_000;

export interface DeleteDeps extends OwnDiskDeps {
  resources: OwnDiskDeps['resources'] & Pick<Resources, 'changed'>;
  qemuImg: QemuImg;
  removals: Removals;
  consoleLogDir: string;
}

/** Removes an instance: its definition, what libvirt keeps beside it, and those of its disks that a launch made for it. */
export function createDelete(deps: DeleteDeps): Procedure {
  return defineProcedure<DeleteArgs>({
    name: 'delete',
    args: deleteArgs,
    on: 'instance',
    async run(call) {
      try {
        return await remove(call);
      } catch (error) {
        if (isWebvirtError(error)) return failed(error.code, error.message);
        throw error;
      } finally {
        void deps.resources.changed();
      }
    },
    recover,
  });

  async function remove(call: ProcedureCall<DeleteArgs>): Promise<Outcome> {
    const uuid = call.entry.instance ?? '';
    const now = await call.hypervisor.observe(uuid);
    if (now === null) return failed('not-found', 'There is no instance with this UUID on this host.');
    const runs = !OFF.includes(now.state);
    if (runs && !call.args.force)
      return failed('wrong-state', `The instance is ${now.state}. Switch it off first, or delete it by force.`);
    const verdicts = await judgeDisks(uuid, await disksOf(uuid, runs, call), deps);
    const consoleLog = join(deps.consoleLogDir, `${uuid}.log`);
    call.started(null);
    if (runs) {
      call.progress(0.2, { phase: 'switches it off' });
      const fault = await destroy(uuid, call);
      if (fault !== null) return fault;
    }
    await mustBeClosed(verdicts);
    const removal: Removal = { opId: call.entry.opId, disks: verdicts.remove, consoleLog };
    await deps.removals.write(uuid, removal);
    call.progress(0.5, { phase: 'removes the definition' });
    const fault = await undefine(uuid, call.hypervisor);
    if (fault !== null) {
      await deps.removals.forget(uuid);
      return failed('libvirt-failed', `The definition could not be removed, so its disks were left: ${fault}`);
    }
    call.line('info', 'Definition removed', { name: now.name });
    call.progress(0.8, { phase: 'removes the disks' });
    for (const { path, reason } of verdicts.keep) call.line('info', 'A disk was left where it is', { path, reason });
    return finish(uuid, removal, call, verdicts.keep);
  }

  /** As defined, and of what runs as it is: a disk may have been changed for another under way. */
  async function disksOf(uuid: string, runs: boolean, call: ProcedureCall<DeleteArgs>) {
    const read = async (words: readonly string[]) => {
      const ran = await call.hypervisor.run(words, uuid, { deadlineMs: DEADLINE_MS });
      if (ran.ended === 'exit' && ran.code === 0) return domainDisks(ran.stdout);
      const why = ran.ended === 'not-started' ? ran.detail : virshFault(ran.stderr).message;
      throw new WebvirtError('libvirt-failed', `Its definition could not be read, so nothing was done: ${why}`);
    };
    const live = runs ? await read(['dumpxml']) : [];
    return [...(await read(['dumpxml', '--inactive'])), ...live];
  }

  /** Switches it off; the outcome when that fails, else null. */
  async function destroy(uuid: string, call: ProcedureCall<DeleteArgs>): Promise<Outcome | null> {
    const ran = await call.hypervisor.run(['destroy'], uuid, { deadlineMs: DEADLINE_MS, onStart: call.started });
    const now = await observed(uuid, call.hypervisor);
    if (now === 'unknown')
      return unknown('libvirt went away while the instance was switched off. Nothing was removed.');
    // One without a definition is gone with its process.
    if (now === null || OFF.includes(now.state)) {
      call.line('info', 'Guest switched off', {});
      return null;
    }
    const why = ran.ended === 'not-started' ? ran.detail : virshFault(ran.stderr).message;
    return failed('libvirt-failed', `It could not be switched off, so nothing was removed. ${why}`, null, now.state);
  }

  /** A disk that a QEMU holds open is somebody's: perhaps the same instance runs on another host. */
  async function mustBeClosed({ remove: disks }: DiskVerdicts): Promise<void> {
    for (const { path } of disks) {
      const file = await openDisk(path);
      if (file === null) continue;
      try {
        await deps.qemuImg.mustBeClosed(file.fd);
      } catch (error) {
        if (isWebvirtError(error, 'in-use'))
          throw new WebvirtError('in-use', `The disk ${path} is in use, perhaps on another host. Nothing was removed.`);
        // A disk that is no whole image can be nobody's; one that could not be asked can.
        if (!isWebvirtError(error, 'bad-request')) throw error;
      } finally {
        await file.close();
      }
    }
  }

  async function finish(
    uuid: string,
    removal: Removal,
    call: ProcedureCall<DeleteArgs>,
    kept: DiskVerdicts['keep'],
  ): Promise<Outcome> {
    const removed: string[] = [];
    const left: string[] = [];
    for (const { path, ino } of removal.disks) {
      const gone = await removeFile(path, ino).catch((error: unknown) => left.push(`${path} (${String(error)})`));
      if (gone === true) removed.push(path);
    }
    await removeConsoleLog(removal.consoleLog).catch(() => undefined);
    if (left.length > 0) {
      call.line('error', 'A disk could not be removed', { left });
      return failed('internal', `The definition is gone, but this could not be removed: ${left.join('; ')}.`);
    }
    await deps.removals.forget(uuid);
    for (const path of removed) call.line('info', 'Disk removed', { path });
    return done(null, { removed, kept });
  }

  /** Only what was decided before the definition went is gone on with; one that is still there is left to its owner. */
  async function recover(call: ProcedureCall<DeleteArgs>): Promise<Outcome> {
    const { entry, hypervisor } = call;
    const uuid = entry.instance ?? '';
    if (entry.startedMs === null)
      return failed('op-cancelled', 'The agent was restarted before anything was done. Delete it again.');
    while (entry.pid !== null && entry.pidStart !== null && processStart(entry.pid) === entry.pidStart)
      await eventWithin(hypervisor, 200);
    while (!hypervisor.listed() || !hypervisor.facts().libvirtAnswers) await eventWithin(hypervisor, 1_000);
    const now = await observed(uuid, hypervisor);
    if (now === 'unknown') return unknown('The agent was restarted in the middle and libvirt does not answer.');
    const removal = await deps.removals.read(uuid, entry.opId);
    if (now !== null) {
      await deps.removals.forget(uuid);
      return failed(
        'op-cancelled',
        `The agent was restarted; the instance is still here, ${now.state}. Delete it again.`,
      );
    }
    void deps.resources.changed();
    if (removal === null) return done(null, { note: 'The agent was restarted meanwhile; the instance is gone.' });
    return finish(uuid, removal, call, []);
  }
}
