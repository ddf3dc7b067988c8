import type { MigrationCheck } from '../../common/model/migration.ts';
import type { SourceFacts, TargetFacts } from '../../common/wire/migration.ts';

/** Whether the guest finds on the target the processor it began with. A guest that is off learns it anew at its start. */
export function cpuCheck(
  at: { live: boolean; sourceName: string; targetName: string },
  source: SourceFacts,
  target: TargetFacts,
): MigrationCheck {
  const check = 'cpu';
  const { cpu } = source.needs;
  const bad = at.live ? 'fail' : 'warn';
  if (cpu.mode === 'custom' && cpu.model !== null) {
    if (target.cpuModels === null)
      return {
        check,
        verdict: 'warn',
        text: `Whether ${at.targetName} has the CPU model ${cpu.model} could not be learnt.`,
      };
    if (target.cpuModels.includes(cpu.model))
      return { check, verdict: 'ok', text: `${at.targetName} has the CPU model ${cpu.model}.` };
    return {
      check,
      verdict: bad,
      text: `${at.targetName} cannot give the CPU model ${cpu.model}; choose an older model, or another host.`,
    };
  }
  // What the guest sees is the processor of its host: it must find the same, or more of it.
  if (cpu.mode !== 'host-passthrough' && cpu.mode !== 'host-model' && cpu.mode !== 'maximum')
    return { check, verdict: 'ok', text: 'It asks for no particular CPU.' };
  if (source.cpu === null || target.cpu === null)
    return { check, verdict: 'warn', text: `The CPUs of ${at.sourceName} and ${at.targetName} could not be compared.` };
  const lacks = source.cpu.features.filter((feature) => !target.cpu?.features.includes(feature));
  const same = source.cpu.model === target.cpu.model && source.cpu.vendor === target.cpu.vendor;
  if (same && lacks.length === 0)
    return { check, verdict: 'ok', text: `Both hosts have the same CPU (${target.cpu.model}).` };
  const what =
    lacks.length > 0 ? `lacks ${lacks.slice(0, 6).join(', ')}` : `is ${target.cpu.vendor} ${target.cpu.model}`;
  return {
    check,
    verdict: bad,
    text: `It uses the CPU of ${at.sourceName} as it is (${cpu.mode}), and that of ${at.targetName} ${what}. Give it a named CPU model.`,
  };
}
