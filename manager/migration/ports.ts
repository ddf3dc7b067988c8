import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import type { JobReport, ManagerMessage } from '../../common/wire/link.ts';
import type { Question } from '../../common/wire/services.ts';
import type { Conclusion } from '../commands/judge.ts';
import type { DispatchRequest } from '../commands/ports.ts';
import type { JobStore } from '../store/ports.ts';

/** What migrations need of the rest of the manager. */
export interface MigrationDeps {
  inventory: {
    hosts(): Host[];
    host(id: string): Host | null | undefined;
    instance(id: string): Instance | null | undefined;
  };
  link: { send(hostId: string, message: ManagerMessage): boolean; connected(hostId: string): boolean };
  ask(
    hostId: string,
    what: Question,
    args: Record<string, unknown>,
    options?: { deadlineMs?: number },
  ): Promise<unknown>;
  jobs: Pick<JobStore, 'get' | 'list' | 'unfinished' | 'nextFence'>;
  commands: {
    dispatch(request: DispatchRequest): Job;
    get(id: string): Job | null;
    /** Tells a judged job's outcome; see `commands/judge.ts`. */
    conclude(id: string, outcome: Conclusion): void;
    /** Takes an unknown job up again; false when its instance is held by another. */
    reopen(id: string): boolean;
    tell(id: string, phase: string): void;
  };
  log: {
    info(message: string, fields: Record<string, unknown>): unknown;
    warn(message: string, fields: Record<string, unknown>): unknown;
    error(message: string, fields: Record<string, unknown>): unknown;
  };
  monotonicMs?: () => number;
}

export type { JobReport };

/** The host on which the instance was, and the one to which it goes. */
export type SideName = 'source' | 'target';
