import type { HostFacts, HostLoad } from '../../common/model/host.ts';
import type { AgentInstance, InstanceSample } from '../../common/model/instance.ts';
import type { HostResources } from '../../common/model/resources.ts';
import type { Command, JobReport } from '../../common/wire/link.ts';

/** What serve needs of the libvirt side. Answers come from memory. */
export interface ServedHypervisor {
  facts(): HostFacts;
  load(): HostLoad | null;
  instances(): AgentInstance[];
  instance(id: string): AgentInstance | undefined;
  /** False until a whole list was read once: an empty list then means "not known", not "none". */
  listed(): boolean;
  on(handler: (event: ServedEvent) => void): () => void;
}

export type ServedEvent =
  | { t: 'host' }
  | { t: 'instance'; id: string }
  | { t: 'gone'; id: string }
  | { t: 'relisted' }
  | { t: 'samples'; tsMs: number; list: InstanceSample[]; load: HostLoad };

/** What serve needs of the resources: read when it is asked. */
export interface ServedResources {
  read(): Promise<HostResources>;
}

/** What serve needs of the commands. */
export interface ServedCommands {
  /**
   * Journalled and synced before it runs; a known opId answers its stored report.
   * @throws {WebvirtError} op-id-reused, journal-full, bad-request.
   */
  submit(command: Command): JobReport;
  cancel(opId: string): boolean;
  report(opId: string): JobReport | undefined;
  /** Outcomes that the manager has not confirmed yet, and what runs. */
  unacked(): JobReport[];
  acked(opId: string): void;
  on(handler: (report: JobReport) => void): () => void;
}

/** What serve needs of the identity. */
export interface ServedIdentity {
  id: string;
  enrolment(): { url: string; enrolledMs: number } | null;
  tls(): { key: string; cert: string; ca: string | null };
  onEnrolled(handler: () => void): () => void;
}
