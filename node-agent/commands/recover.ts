import type { CommandHypervisor } from './command-hypervisor.ts';
import type { Entry, Outcome } from './journal-entry.ts';
import { type OperationOptions, untilOff } from './operation.ts';
import { done, unknown } from './outcomes.ts';
import { processStart } from './process-start.ts';
import type { Verb } from './verbs/verb.ts';

const LOOK_EVERY_MS = 200;

/**
 * Ends an operation that an earlier life of this agent began: waits for its virsh if that still runs, then looks at the
 * instance. What cannot be seen is unknown.
 */
export async function recover(
  entry: Entry,
  verb: Verb,
  hypervisor: CommandHypervisor,
  options: Pick<OperationOptions, 'signal' | 'why' | 'waitOffMs'> & { onWaiting(): void },
): Promise<Outcome> {
  const id = entry.instance ?? '';
  while (entry.pid !== null && entry.pidStart !== null && processStart(entry.pid) === entry.pidStart) {
    if (options.signal.aborted) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  await untilListed(hypervisor, options.signal);
  const now = await hypervisor.observe(id).catch(() => null);
  if (now !== null && verb.reached?.(now) === true)
    return done(now, { note: 'The agent was restarted meanwhile; it is as wanted.', observed: true });
  if (now !== null && verb.waitOffMs !== undefined && !options.signal.aborted) {
    const waitMs = options.waitOffMs ?? verb.waitOffMs;
    return untilOff(id, { hypervisor, onWaiting: options.onWaiting }, { ...options, waitMs });
  }
  const state = now?.state ?? 'not on this host, as far as can be seen';
  return unknown(
    `The agent was restarted while this ran. The instance is ${state} now; whether the operation took effect cannot be told.`,
    null,
    now?.state ?? null,
  );
}

function untilListed(hypervisor: CommandHypervisor, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const ready = () => hypervisor.listed() && hypervisor.facts().libvirtAnswers;
    const end = () => {
      off();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const off = hypervisor.on(() => {
      if (ready()) end();
    });
    signal.addEventListener('abort', end);
    if (ready() || signal.aborted) end();
  });
}
