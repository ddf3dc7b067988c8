import { z } from 'zod';
import type { ErrorCode } from '../../common/errors.ts';
import type { Command } from '../../common/wire/link.ts';
import type { Entry } from './journal-entry.ts';
import type { Verb } from './verbs/verb.ts';

/** Arguments that every action takes: a time of its own. */
export const argsSchema = z.strictObject({ timeoutMs: z.number().int().min(1).max(3_600_000).optional() });

/** What is known when a command arrives. */
export interface Arrival {
  nowMs: number;
  verb: Verb | undefined;
  /** The highest fencing token seen for the instance. */
  seenFence: number;
  /** The operation that has the instance now. */
  holder: { entry: Entry; verb: Verb } | undefined;
}

/** Why a command is refused before anything is done, or null when it may begin. */
export function refusal(command: Command, at: Arrival): [ErrorCode, string] | null {
  if (at.verb === undefined) return ['bad-request', 'This agent does not know that operation.'];
  if (command.instance === null) return ['bad-request', 'The operation needs an instance.'];
  const args = argsSchema.safeParse(command.args);
  if (!args.success)
    return ['bad-request', 'The arguments are not of the expected form: only timeoutMs, 1 to 3600000.'];
  if (at.nowMs > command.expiresMs) return ['expired', 'The command was too old when it arrived and was not run.'];
  if (command.fence < at.seenFence)
    return [
      'stale-token',
      `A newer command (${at.seenFence}) for this instance was seen; this one (${command.fence}) is refused.`,
    ];
  if (at.holder === undefined || at.verb.preempts?.includes(at.holder.verb.name)) return null;
  const { verb, opId, actor } = at.holder.entry;
  return ['busy', `${verb} of ${actor} (job ${opId}) is under way on this instance; wait for it or cancel it.`];
}
