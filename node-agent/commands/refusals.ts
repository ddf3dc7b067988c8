import { z } from 'zod';
import type { ErrorCode } from '../../common/errors.ts';
import type { Command } from '../../common/wire/link.ts';
import type { Entry } from './journal-entry.ts';
import type { Procedure } from './procedures/procedure.ts';
import type { Verb } from './verbs/verb.ts';

/** Arguments that every action takes: a time of its own. */
export const argsSchema = z.strictObject({ timeoutMs: z.number().int().min(1).max(3_600_000).optional() });

/** What is known when a command arrives. */
export interface Arrival {
  nowMs: number;
  verb: Verb | Procedure | undefined;
  /** The highest fencing token seen for the instance. */
  seenFence: number;
  /** The operation that has the instance now. */
  holder: { entry: Entry } | undefined;
}

/** Why a command is refused before anything is done, or null when it may begin. */
export function refusal(command: Command, at: Arrival): [ErrorCode, string] | null {
  if (at.verb === undefined) return ['bad-request', 'This agent does not know that operation.'];
  const needsInstance = !isProcedure(at.verb) || at.verb.on !== 'host';
  if (needsInstance !== (command.instance !== null))
    return ['bad-request', needsInstance ? 'The operation needs an instance.' : 'The operation takes no instance.'];
  const args = isProcedure(at.verb) ? at.verb.args.safeParse(command.args) : argsSchema.safeParse(command.args);
  if (!args.success) return ['bad-request', argumentFault(at.verb, args.error)];
  if (at.nowMs > command.expiresMs) return ['expired', 'The command was too old when it arrived and was not run.'];
  if (command.fence < at.seenFence)
    return [
      'stale-token',
      `A newer command (${at.seenFence}) for this instance was seen; this one (${command.fence}) is refused.`,
    ];
  if (at.holder === undefined) return null;
  const { verb, opId, actor } = at.holder.entry;
  if (!isProcedure(at.verb) && at.verb.preempts?.some((name) => name === verb)) return null;
  return ['busy', `${verb} of ${actor} (job ${opId}) is under way on this instance; wait for it or cancel it.`];
}

/** True for an operation that is more than one word to virsh. */
export function isProcedure(verb: Verb | Procedure): verb is Procedure {
  return 'recover' in verb;
}

function argumentFault(verb: Verb | Procedure, error: z.ZodError): string {
  if (!isProcedure(verb)) return 'The arguments are not of the expected form: only timeoutMs, 1 to 3600000.';
  const issue = error.issues[0];
  const at = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  return `The arguments are not of the expected form: ${at}${issue?.message ?? 'unknown'}`.slice(0, 512);
}
