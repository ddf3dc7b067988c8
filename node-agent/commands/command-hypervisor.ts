import type { Logger } from 'winston';
import type { HostFacts } from '../../common/model/host.ts';
import type { AgentInstance } from '../../common/model/instance.ts';
import type { NewLine } from '../../common/model/line.ts';
import type { VirshOutcome, VirshRunOptions } from '../libvirt/virsh-children.ts';
import type { Procedure } from './procedures/procedure.ts';

/** What commands need of the hypervisor. */
export interface CommandHypervisor {
  facts(): Pick<HostFacts, 'libvirtAnswers'>;
  listed(): boolean;
  instance(id: string): AgentInstance | undefined;
  /** Reads one instance now; null when it is gone. @throws {WebvirtError} libvirt-unavailable */
  observe(id: string): Promise<AgentInstance | null>;
  /** `virsh … words -- id`, to its end. @throws {WebvirtError} when it must not be sent at all. */
  run(words: readonly string[], id: string, options: VirshRunOptions): Promise<VirshOutcome>;
  on(handler: (event: { t: string; id?: string }) => void): () => void;
}

export interface CommandDeps {
  /** Operations besides the actions of the table; none where absent. */
  procedures?: readonly Procedure[];
  hypervisor: CommandHypervisor;
  emit(line: NewLine): void;
  log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  now(): number;
}
