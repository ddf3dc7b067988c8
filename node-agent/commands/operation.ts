import { isWebvirtError } from '../../common/errors.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { VirshOutcome } from '../libvirt/virsh-children.ts';
import type { CommandHypervisor } from './command-hypervisor.ts';
import type { Entry, Outcome } from './journal-entry.ts';
import { cancelled, done, failed, unknown } from './outcomes.ts';
import type { Verb } from './verbs/verb.ts';
import { virshFault } from './virsh-faults.ts';
import { waitOff } from './wait-off.ts';

export interface OperationDeps {
  hypervisor: CommandHypervisor;
  /** Called once virsh is under way. Must not throw. */
  onStart(pid: number | null): void;
  /** Called when the request is out and only the guest is waited for. */
  onWaiting(): void;
}

export interface OperationOptions {
  /** Overrides the verb's own time. */
  timeoutMs: number | undefined;
  waitOffMs: number | undefined;
  signal: AbortSignal;
  /** True when libvirt was asked to stop in the middle. */
  stopAsked(): boolean;
  /** Why it was stopped, for the outcome. */
  why(): string;
}

type Op = Pick<Entry, 'instance'> & { id: string; verb: Verb };

/** Does one operation and says what came of it. Never rejects; says `done` only for what was seen or told by libvirt. */
export async function operate(op: Op, deps: OperationDeps, options: OperationOptions): Promise<Outcome> {
  const { verb, id } = op;
  const { hypervisor } = deps;
  try {
    const before = await look(op, hypervisor);
    if ('state' in before) return before;
    const timeoutMs = verb.waitOffMs === undefined ? (options.timeoutMs ?? verb.timeoutMs) : verb.timeoutMs;
    const ran = await patientRun(op, hypervisor, options.signal, (signal) =>
      hypervisor.run(verb.words, id, { deadlineMs: timeoutMs, signal, onStart: deps.onStart }),
    );
    return await judge(op, ran, deps, options, timeoutMs);
  } catch (error) {
    // Whatever was thrown, was thrown before virsh was started.
    if (isWebvirtError(error)) return failed(error.code, error.message);
    return failed('internal', 'The operation could not be started.', String(error));
  }
}

/** How long virsh may stay after the instance was seen to be as wanted. */
const LINGER_MS = 2_000;
/** How long somebody else may take to make true what was asked for. */
const SOON_MS = 1_500;

/** Ends a virsh that does not come back although its work is done: version 9 may miss the end of a save. */
async function patientRun<T>(
  op: Op,
  hypervisor: CommandHypervisor,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lingering = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const off = hypervisor.on((event) => {
    const now = event.id === op.id ? hypervisor.instance(op.id) : undefined;
    if (timer === undefined && now !== undefined && op.verb.reached?.(now))
      timer = setTimeout(() => lingering.abort(), LINGER_MS);
  });
  try {
    return await run(AbortSignal.any([signal, lingering.signal]));
  } finally {
    off();
    clearTimeout(timer);
  }
}

/**
 * Ends early when nothing needs to be done or may be done. What memory says is enough to go on, never enough to refuse
 * or to call it done: then libvirt is asked again.
 */
async function look(op: Op, hypervisor: CommandHypervisor): Promise<Outcome | { go: true }> {
  if (!hypervisor.facts().libvirtAnswers)
    return failed(
      'libvirt-unavailable',
      'The libvirt daemon of this host does not answer now; nothing was sent to it.',
    );
  const held = hypervisor.instance(op.id);
  if (held !== undefined && !op.verb.reached?.(held) && op.verb.refusal(held) === null) return { go: true };
  const now = await hypervisor.observe(op.id);
  if (now === null) return failed('not-found', 'There is no instance with this UUID on this host.');
  if (op.verb.reached?.(now)) return done(now, { noop: true, note: op.verb.alreadyText ?? 'It is so already.' });
  const refusal = op.verb.refusal(now);
  return refusal === null ? { go: true } : failed('wrong-state', refusal, null, now.state);
}

async function judge(
  op: Op,
  ran: VirshOutcome,
  deps: OperationDeps,
  options: OperationOptions,
  timeoutMs: number,
): Promise<Outcome> {
  const { hypervisor } = deps;
  if (ran.ended === 'not-started') {
    if (ran.reason === 'aborted') return cancelled(options.why());
    if (ran.reason === 'missing-program')
      return failed('missing-program', `virsh could not be started: ${ran.detail}.`);
    return failed('libvirt-unavailable', `Nothing was sent: ${ran.detail}.`);
  }
  if (ran.ended === 'exit' && ran.code === 0) return succeeded(op, deps, options);
  // From here on libvirt may have acted or not: what can be seen decides.
  const now = await seen(hypervisor, op.id);
  const reached = now !== null && op.verb.reached?.(now) === true;
  if (ran.ended === 'exit' && ran.code !== null) {
    if (reached && now !== null) return done(now, { note: op.verb.alreadyText ?? 'It is so now.' }, ran.stderr);
    if (options.stopAsked()) return cancelled(options.why(), ran.stderr, now?.state ?? null);
    const fault = virshFault(ran.stderr);
    // Another one may be doing the same at this moment: it is enough that it comes true.
    if (fault.code === 'wrong-state' && (await soonReached(op, hypervisor)))
      return done(await seen(hypervisor, op.id), { note: op.verb.alreadyText ?? 'It is so now.' }, ran.stderr);
    if (fault.maybe) return unknown(fault.message, ran.stderr, now?.state ?? null);
    return failed(fault.code, fault.message, ran.stderr, now?.state ?? null);
  }
  if (reached && now !== null)
    return done(now, { note: 'libvirt was slow to answer; it is as wanted now.' }, ran.stderr);
  if (ran.ended === 'aborted') return cancelled(options.why(), ran.stderr, now?.state ?? null);
  const why =
    ran.ended === 'deadline'
      ? `libvirt did not answer within ${timeoutMs / 1_000} s and may still do it.`
      : 'virsh was killed before it could tell.';
  return unknown(`${why} Look at the instance before you repeat it.`, ran.stderr, now?.state ?? null);
}

/** Waits a moment for the instance to become as wanted, by somebody else's hand. */
function soonReached(op: Op, hypervisor: CommandHypervisor): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (is: boolean) => {
      clearTimeout(timer);
      off();
      resolve(is);
    };
    const timer = setTimeout(() => end(false), op.verb.reached === undefined ? 0 : SOON_MS);
    const off = hypervisor.on((event) => {
      const now = event.id === op.id ? hypervisor.instance(op.id) : undefined;
      if (now !== undefined && op.verb.reached?.(now)) end(true);
    });
  });
}

/** virsh said yes. A request to the guest is done only when the guest followed it. */
async function succeeded(op: Op, deps: OperationDeps, options: OperationOptions): Promise<Outcome> {
  const { hypervisor } = deps;
  if (op.verb.waitOffMs === undefined) return done(await seen(hypervisor, op.id), {});
  const waitMs = options.timeoutMs ?? options.waitOffMs ?? op.verb.waitOffMs;
  return untilOff(op.id, deps, { ...options, waitMs });
}

/** The second half of a shutdown; also where one goes on after the agent was restarted. */
export async function untilOff(
  id: string,
  deps: Pick<OperationDeps, 'hypervisor' | 'onWaiting'>,
  options: Pick<OperationOptions, 'signal' | 'why'> & { waitMs: number },
): Promise<Outcome> {
  deps.onWaiting();
  await seen(deps.hypervisor, id);
  const ended = await waitOff(deps.hypervisor, id, { timeoutMs: options.waitMs, signal: options.signal });
  if (ended === 'aborted') return cancelled(options.why());
  const now = await seen(deps.hypervisor, id);
  if (ended === 'off') return done(now, {});
  const waited = `${Math.round(options.waitMs / 100) / 10} s`;
  if (!deps.hypervisor.facts().libvirtAnswers)
    return unknown(`The guest was asked to switch off; libvirt did not answer at the end of ${waited}.`);
  return failed(
    'timeout',
    `The guest did not switch off within ${waited}. It has the request and may still follow it. If it cannot (no ACPI, hung), force it off.`,
    null,
    now?.state ?? null,
  );
}

async function seen(hypervisor: CommandHypervisor, id: string): Promise<AgentInstance | null> {
  return hypervisor.observe(id).catch(() => null);
}
