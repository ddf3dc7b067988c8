import { createHash, randomBytes } from 'node:crypto';
import type { Command, JobReport } from '../../common/wire/link.ts';
import { SETTLE_VERB, type SettleStep } from '../../common/wire/migration.ts';
import type { StoredJob } from '../store/ports.ts';
import type { MigrationDeps } from './ports.ts';

const DEADLINE_MS = 40_000;

/** Steps on one side, each a journalled and fenced command of its own that belongs to the job. */
export interface Steps {
  /** Resolves with what the agent says of it; null when it did not answer. */
  run(hostId: string, job: StoredJob, step: SettleStep): Promise<JobReport | null>;
  /** A report that is of no job: true when it is one of these. */
  heard(report: JobReport): boolean;
}

export function createSteps(deps: Pick<MigrationDeps, 'link' | 'jobs' | 'inventory'>): Steps {
  const waiting = new Map<string, (report: JobReport | null) => void>();
  return {
    run(hostId, job, step) {
      const instance = job.instance ?? '';
      const salt = randomBytes(8).toString('hex');
      const opId = createHash('sha256').update(`${job.id}\n${step}\n${hostId}\n${salt}`).digest('hex').slice(0, 32);
      const offsetMs = deps.inventory.host(hostId)?.clockOffsetMs ?? 0;
      const command: Command = {
        ...{ opId, verb: SETTLE_VERB, instance, args: { step, of: job.id }, actor: job.actor },
        ...{ fence: deps.jobs.nextFence(instance), expiresMs: Math.round(Date.now() + DEADLINE_MS - offsetMs) },
      };
      return new Promise((resolve) => {
        const end = (report: JobReport | null) => {
          clearTimeout(timer);
          waiting.delete(opId);
          resolve(report);
        };
        const timer = setTimeout(() => end(null), DEADLINE_MS);
        timer.unref();
        waiting.set(opId, end);
        if (!deps.link.send(hostId, { t: 'command', command })) end(null);
      });
    },
    heard(report) {
      if (report.verb !== SETTLE_VERB) return false;
      if (report.final) waiting.get(report.opId)?.(report);
      return true;
    },
  };
}
