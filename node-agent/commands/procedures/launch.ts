import type { FileHandle } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isWebvirtError, WebvirtError } from '../../../common/errors.ts';
import type { VirshOutcome, VirshRunOptions } from '../../libvirt/virsh-children.ts';
import type { QemuImg } from '../../resources/qemu-img.ts';
import type { Resources } from '../../resources/resources.ts';
import type { Outcome } from '../journal-entry.ts';
import { cancelled, done, failed, unknown } from '../outcomes.ts';
import { OFF } from '../verbs/verb.ts';
import { virshFault } from '../virsh-faults.ts';
import { type LaunchArgs, launchArgs } from './launch-args.ts';
import { type CheckDeps, type LaunchPlan, planLaunch } from './launch-checks.ts';
import { recoverLaunch } from './launch-recover.ts';
import { observed, type Traces, undoLaunch } from './launch-undo.ts';
import { domainXml } from './launch-xml.ts';
import { makeFile } from './new-disk.ts';
import { defineProcedure, type Procedure, type ProcedureCall } from './procedure.ts';

const DEFINE_MS = 30_000;
const START_MS = 120_000;

export interface LaunchDeps extends Omit<CheckDeps, 'resources' | 'takeMemory'> {
  resources: Pick<Resources, 'pools' | 'images' | 'read' | 'changed'>;
  qemuImg: QemuImg;
  hypervisor: CheckDeps['hypervisor'] & {
    define(id: string, xml: string, options: VirshRunOptions): Promise<VirshOutcome>;
  };
}

/**
 * Makes an instance: a thin clone of a base image, its definition, and its start. Nothing is made before everything was
 * checked; what was made is removed when a later step fails, and nothing else ever is.
 */
export function createLaunch(deps: LaunchDeps): Procedure {
  /** Memory of launches under way, by UUID: what runs already is counted by the host. */
  const taken = new Map<string, number>();
  function takeMemory(uuid: string, bytes: number, availableBytes: number): boolean {
    const others = [...taken.values()].reduce((sum, one) => sum + one, 0);
    if (bytes + others > availableBytes) return false;
    taken.set(uuid, bytes);
    return true;
  }

  return defineProcedure<LaunchArgs>({
    name: 'launch',
    args: launchArgs,
    on: 'new',
    cancellable: true,
    async run(call) {
      const uuid = call.entry.instance ?? '';
      try {
        if ((await call.hypervisor.observe(uuid)) !== null)
          return failed('name-taken', 'An instance with this UUID is here already; nothing was done.');
        const plan = await planLaunch(uuid, call.args, { ...deps, takeMemory });
        return await make(plan, call);
      } catch (error) {
        // Whatever arrives here was thrown before anything was made.
        if (isWebvirtError(error)) return failed(error.code, error.message);
        throw error;
      } finally {
        taken.delete(uuid);
      }
    },
    recover: (call) => recoverLaunch(call, deps),
  });

  async function make(plan: LaunchPlan, call: ProcedureCall<LaunchArgs>): Promise<Outcome> {
    const { domain, base } = plan;
    const { uuid } = domain;
    const traces: Traces = { uuid, disk: null, consoleLog: null, defined: false };
    call.progress(0.1, { phase: 'makes the disk' });
    call.started(null);
    // Neither needs the other, and each costs a process: they are made at the same time.
    const [disk, defined] = await Promise.allSettled([makeDisk(plan, traces, call), define(plan, traces)]);
    const fault = [disk, defined].find((one) => one.status === 'rejected')?.reason;
    if (fault !== undefined) return giveUp(fault, traces, call);
    call.line('info', 'Domain defined', { name: domain.name, type: domain.type, vcpus: domain.vcpus });
    if (call.signal.aborted) return giveUp(null, traces, call);
    call.progress(0.6, { phase: 'starts the guest' });
    // From here on a later life of this agent must expect that the guest runs or has run.
    call.started(process.pid);
    const ran = await call.hypervisor
      .run(['start'], uuid, { deadlineMs: START_MS, onStart: call.started })
      .catch((error: unknown) => ({ ended: 'refused' as const, error }));
    if (ran.ended === 'refused') return giveUp(ran.error, traces, call);
    const outcome = await judge(ran, traces, call, { disk: domain.diskPath, base: base.name });
    if (outcome.state === 'done' && call.args.autostart) await autostart(uuid, call);
    void deps.resources.changed();
    return outcome;
  }

  async function makeDisk(plan: LaunchPlan, traces: Traces, call: ProcedureCall<LaunchArgs>): Promise<void> {
    const { base, diskBytes } = plan;
    const path = plan.domain.diskPath;
    const beganMs = performance.now();
    const file: FileHandle = await makeFile(path);
    try {
      traces.disk = { path, ino: (await file.stat()).ino };
      await deps.qemuImg.clone(file.fd, base, diskBytes);
    } finally {
      await file.close();
    }
    const tookMs = Math.round(performance.now() - beganMs);
    call.line('info', 'Disk made', { path, base: base.name, sizeBytes: diskBytes, tookMs });
  }

  async function define(plan: LaunchPlan, traces: Traces): Promise<void> {
    const { uuid, consoleLog } = plan.domain;
    await mkdir(dirname(consoleLog), { recursive: true, mode: 0o750 });
    traces.consoleLog = consoleLog;
    traces.defined = true;
    const ran = await deps.hypervisor.define(uuid, domainXml(plan.domain), { deadlineMs: DEFINE_MS });
    if (ran.ended === 'exit' && ran.code === 0) return;
    if (ran.ended === 'not-started') {
      traces.defined = false;
      throw new WebvirtError('libvirt-unavailable', `Nothing was defined: ${ran.detail}.`);
    }
    const { code, message } = virshFault(ran.stderr);
    // Somebody outside may have taken the name in this very moment.
    const taken = /already (?:exists|defined)/i.test(ran.stderr);
    throw new WebvirtError(taken ? 'name-taken' : code, message);
  }

  /** `fault` null: it was cancelled. */
  async function giveUp(fault: unknown, traces: Traces, call: ProcedureCall<LaunchArgs>): Promise<Outcome> {
    const left = await undoLaunch(traces, call.hypervisor);
    if (left === null) call.line('info', 'What the launch had made was removed', {});
    else call.line('error', 'What the launch had made could not all be removed', { left });
    const rest = left === null ? '' : ` This is left: ${left}.`;
    void deps.resources.changed();
    if (fault === null) return cancelled(`${call.why()} What was made was removed.${rest}`);
    if (isWebvirtError(fault)) return failed(fault.code, `${fault.message}${rest}`);
    call.line('error', 'The launch failed inside', { reason: String(fault) });
    return failed('internal', `Something went wrong inside the agent; it is in its log.${rest}`);
  }

  async function judge(
    ran: VirshOutcome,
    traces: Traces,
    call: ProcedureCall<LaunchArgs>,
    result: Record<string, unknown>,
  ): Promise<Outcome> {
    const now = await observed(traces.uuid, call.hypervisor);
    if (now === 'unknown')
      return unknown('libvirt went away while the guest was started. Look at the instance when it is back.');
    if (now !== null && (!OFF.includes(now.state) || (ran.ended === 'exit' && ran.code === 0))) {
      call.line('info', 'Guest started', { state: now.state });
      return done(now, result);
    }
    if (ran.ended === 'deadline' || ran.ended === 'aborted')
      return unknown(`libvirt did not start the guest within ${START_MS / 1_000} s and may still do it.`);
    const fault =
      ran.ended === 'not-started'
        ? new WebvirtError('libvirt-unavailable', `The guest was not started: ${ran.detail}.`)
        : new WebvirtError(virshFault(ran.stderr).code, virshFault(ran.stderr).message);
    return giveUp(fault, traces, call);
  }

  async function autostart(uuid: string, call: ProcedureCall<LaunchArgs>): Promise<void> {
    // The guest runs: whatever goes wrong here, the launch is done.
    const ran = await call.hypervisor.run(['autostart'], uuid, { deadlineMs: DEFINE_MS }).catch(() => null);
    await call.hypervisor.observe(uuid).catch(() => null);
    if (ran?.ended !== 'exit' || ran.code !== 0)
      call.line('warn', 'The instance runs, but could not be marked to start with its host', {});
  }
}
