import { SETTLE_VERB, type SettleStep, settleArgsSchema } from '../../../common/wire/migration.ts';
import type { Outcome } from '../journal-entry.ts';
import { done, failed, unknown } from '../outcomes.ts';
import { virshFault } from '../virsh-faults.ts';
import { defineProcedure, type Procedure, type ProcedureCall } from './procedure.ts';

const WORDS: Record<Exclude<SettleStep, 'expect'>, readonly string[]> = {
  destroy: ['destroy'],
  resume: ['resume'],
  pause: ['suspend'],
  // Only the definition: the disks are the other host's now.
  undefine: ['undefine', '--keep-nvram', '--managed-save', '--snapshots-metadata', '--checkpoints-metadata'],
  autostart: ['autostart'],
};
const LONGEST_MS = 30_000;

type Call = ProcedureCall<{ step: SettleStep; of: string }>;

/**
 * One step of settling a migration on this host: decided by the manager after it looked at both hosts, journalled and
 * fenced here like every command. `expect` does nothing but raise the fence of an instance that is about to come.
 */
export function createSettle(): Procedure {
  async function run(call: Call): Promise<Outcome> {
    const { step } = call.args;
    call.started(null);
    call.line('info', 'a step of settling a move begins', { verb: SETTLE_VERB, step, of: call.args.of });
    if (step === 'expect')
      return done(null, { note: 'Older commands for this instance are refused here from now on.' });
    const ran = await call.hypervisor.run(WORDS[step], call.entry.instance ?? '', { deadlineMs: LONGEST_MS });
    if (ran.ended === 'not-started') return failed('libvirt-unavailable', `Nothing was sent: ${ran.detail}.`);
    if (ran.ended !== 'exit') return unknown('libvirt gave no answer in time.', ran.stderr);
    if (ran.code === 0) return done(null, {}, ran.stderr);
    const fault = virshFault(ran.stderr);
    return failed(fault.code, fault.message, ran.stderr);
  }
  return defineProcedure({
    name: SETTLE_VERB,
    args: settleArgsSchema,
    // An instance that is about to come is not on this host yet: `instance` asks for its id only.
    on: 'instance',
    run,
    recover: async () => unknown('The agent was restarted in this step; the manager looks again.'),
  });
}
