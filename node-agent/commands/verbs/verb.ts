import type { Action, AgentInstance, InstanceState } from '../../../common/model/instance.ts';

/**
 * A verb is a row of facts; `operation.ts` does the rest. To add one:
 * 1. give the action its name in common/model/instance.ts, and its words in libvirt/virsh-words.ts;
 * 2. write a `Verb` in the file of its family here (or a new family) and put it into `table.ts`;
 * 3. add its rows to `verbs.test.ts`: already there, refused, allowed, for each state.
 */
export interface Verb {
  name: Action;
  /** What virsh is told before `-- UUID`. */
  words: readonly string[];
  /** How long virsh may take before the outcome counts as unknown. */
  timeoutMs: number;
  /** True when the instance is as the verb wants it. Absent where that cannot be seen (a reboot leaves no trace). */
  reached?(instance: AgentInstance): boolean;
  /** Told when the instance was so already: nothing is done then. */
  alreadyText?: string;
  /** Why the verb makes no sense for the instance now, with what to do instead; null when it may run. */
  refusal(instance: AgentInstance): string | null;
  /** The command is only a request to the guest: the job ends when the guest is off, or after this time. */
  waitOffMs?: number;
  /** Verbs whose running operation this one may end and replace. */
  preempts?: readonly Action[];
  /** How libvirt is told to stop in the middle. Absent: what has begun runs to its end. */
  abortWords?: readonly string[];
  /** Still possible when the journal is full: it must always be possible to stop a machine. */
  emergency?: boolean;
}

/** States in which nothing of the instance runs. */
export const OFF: readonly InstanceState[] = ['shutoff', 'saved', 'crashed'];

/** A refusal by the state alone. */
export function only(allowed: readonly InstanceState[], hint: string): Verb['refusal'] {
  return (instance) => (allowed.includes(instance.state) ? null : `The instance is ${instance.state}; ${hint}`);
}
