import { WebvirtError } from '../../common/errors.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { Look } from '../../common/wire/migration.ts';
import { parseJobInfo } from '../libvirt/job-info.ts';
import type { MigrationVirsh } from '../libvirt/migration-virsh.ts';
import { isNoDomain } from '../libvirt/virsh-text.ts';

/** What a look needs of the hypervisor. */
export interface LookHypervisor {
  facts(): { libvirtAnswers: boolean; hypervisor: { uri: string } };
  observe(id: string): Promise<AgentInstance | null>;
}

/**
 * One instance as libvirt has it now: asked for this look, not remembered. Decisions about where an instance may run hang
 * on it, so what is not surely libvirt's word is an error and never "absent".
 * @throws {WebvirtError} libvirt-unavailable
 */
export async function lookAt(
  id: string,
  deps: { uri: string; hypervisor: LookHypervisor; virsh: Pick<MigrationVirsh, 'peek'> },
): Promise<Look> {
  const { hypervisor, virsh } = deps;
  const mustBeReal = () => {
    const { libvirtAnswers, hypervisor: shown } = hypervisor.facts();
    // Where no daemon answers the test driver is shown: it knows nothing of this host.
    if (!libvirtAnswers || shown.uri !== deps.uri.slice(0, 255))
      throw new WebvirtError('libvirt-unavailable', 'The libvirt daemon of this host does not answer now.');
  };
  mustBeReal();
  const instance = await hypervisor.observe(id);
  mustBeReal();
  if (instance === null)
    return { state: null, reason: null, persistent: false, autostart: false, busy: false, completed: null };
  const { state, stateReason, persistent, autostart } = instance;
  const running = parseJobInfo((await virsh.peek(['domjobinfo', '--rawstats'], id)).stdout);
  // An incoming migration has no numbers before its end: libvirt says so in words.
  const ended = await virsh.peek(['domjobinfo', '--rawstats', '--completed', '--keep-completed'], id);
  if (isNoDomain(ended.stderr)) return lookAt(id, deps);
  return {
    state,
    reason: stateReason ?? null,
    persistent,
    autostart,
    busy: running?.running === true,
    completed: parseJobInfo(ended.stdout)?.job ?? null,
  };
}
