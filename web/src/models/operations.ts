import type { Job, Placement } from '../../../common/model/job.ts';
import type { MigrationChecks } from '../../../common/model/migration.ts';
import type { BaseImage } from '../../../common/model/resources.ts';
import type { FillOutcome } from './ledger.ts';

/** A new instance. Without `host` the manager chooses. Sizes in bytes. */
export interface LaunchRequest {
  name: string;
  base: string;
  host?: string;
  vcpus: number;
  memoryBytes: number;
  diskBytes?: number;
  network?: string;
  autostart: boolean;
}

/** A file that lies in a pool already; paths are relative to the pool. */
export interface RegisterRequest {
  host: string;
  name: string;
  pool: string;
  file: string;
  format: BaseImage['format'];
  kernel?: string;
  initrd?: string;
  cmdline?: string;
}

export interface MigrateRequest {
  target: string;
  live: boolean;
  tunnelled: boolean;
  copyStorage: boolean;
  maxDowntimeMs?: number;
}

/**
 * Operations that are more than one action on an instance. Each takes the caller's `opId`: sent twice, it is one
 * operation. They answer once the manager has accepted; outcomes come as jobs. All throw an error with `code` and `message`.
 */
export interface Operations {
  launch(request: LaunchRequest, opId: string): Promise<{ job: Job; placement: Placement }>;
  registerImage(request: RegisterRequest, opId: string): Promise<Job>;
  forgetImage(host: string, name: string, opId: string): Promise<Job>;
  /** `name` is what was typed; the manager compares it. `force` cuts the power of a running one first. */
  removeInstance(id: string, name: string, force: boolean, opId: string): Promise<Job>;
  /** Every other host with what speaks for and against a move there. */
  targets(id: string, how: Pick<MigrateRequest, 'live' | 'tunnelled' | 'copyStorage'>): Promise<MigrationChecks[]>;
  migrate(id: string, request: MigrateRequest, opId: string): Promise<Job>;
  /** Asks the agent for what is missing of a gap in its ledger. */
  fillGap(agent: string, epoch: string, range: { from: number; to: number }): Promise<FillOutcome>;
  newOpId(): string;
}
