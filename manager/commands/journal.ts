import { WebvirtError } from '../../common/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { JobStore, StoredJob } from '../store/ports.ts';
import type { CommandLog, DispatchRequest } from './ports.ts';

export interface PlannedJob extends DispatchRequest {
  id: string;
  argsHash: string;
  instanceName: string | null;
  hostId: string;
  hostName: string;
}

/** Every state of a job is on disk before anybody hears of it, and every change is a line that carries the job's id. */
export interface Journal {
  /** Writes the job as `planned`. Throws `journal-full` when it cannot be written; then nothing may be sent. */
  plan(planned: PlannedJob): { inserted: boolean; job: StoredJob };
  /** Tells of a job that was sent. */
  announce(job: StoredJob): void;
  /** The host went between the check and the send: nothing left, so the job failed for sure. */
  refuse(job: StoredJob): StoredJob;
  change(job: StoredJob): void;
  audit(message: string, job: StoredJob, actor: string): void;
  /** Nothing was done, and that is on the record too. */
  refused(request: DispatchRequest, error: WebvirtError): void;
}

export function createJournal(deps: { jobs: JobStore; bus: Bus; log: CommandLog; nowMs: () => number }): Journal {
  const { jobs, bus, log, nowMs } = deps;

  const fieldsOf = (job: StoredJob) => ({
    job: job.id,
    ...(job.instance === null ? {} : { instance: job.instance, instanceName: job.instanceName }),
    verb: job.verb,
    host: job.host,
    hostName: job.hostName,
  });

  function audit(message: string, job: StoredJob, actor: string): void {
    log.info(message, { source: 'audit', ...fieldsOf(job), actor });
  }

  function tell(job: StoredJob): void {
    const fields = { ...fieldsOf(job), state: job.state, ...(job.error === null ? {} : { error: job.error }) };
    if (job.state === 'done') log.info('Job done', fields);
    else if (job.state === 'failed') log.error('Job failed', fields);
    else if (job.state === 'cancelled') log.warn('Job cancelled', fields);
    else if (job.state === 'unknown') log.warn('The outcome of a job is unknown', fields);
    else log.info('Job runs', fields);
  }

  const journal: Journal = {
    plan(planned) {
      const { id, verb, args, actor, argsHash, instance, instanceName, hostId, hostName, target, placement } = planned;
      try {
        const fence = instance === null ? 0 : jobs.nextFence(instance);
        return jobs.insert({
          ...{ id, verb, state: 'planned', progress: null, instance, instanceName, host: hostId, hostName, actor },
          ...{ createdMs: nowMs(), startedMs: null, endedMs: null, error: null, result: null },
          ...{ argsHash, fence, args },
          ...(target === undefined ? {} : { target: target.id, targetName: target.name }),
          ...(placement === undefined ? {} : { placement }),
        });
      } catch (error) {
        log.error('The journal of jobs cannot be written', { verb, instance, reason: String(error) });
        throw new WebvirtError(
          'journal-full',
          'The journal of jobs cannot be written, so nothing was done. Is the disk of the manager full?',
          {},
          { cause: error },
        );
      }
    },
    announce(job) {
      audit('Operation was asked for', job, job.actor);
      bus.emit('job', { id: job.id });
    },
    refuse(job) {
      const message = `Host ${job.hostName} went away before the command was sent; nothing was done.`;
      const failed: StoredJob = {
        ...job,
        state: 'failed',
        endedMs: nowMs(),
        error: { code: 'host-unreachable', message },
      };
      journal.change(failed);
      return failed;
    },
    change(job) {
      const before = jobs.get(job.id);
      jobs.update(job);
      bus.emit('job', { id: job.id });
      // Progress alone is no line: only a new state is.
      if (before?.state !== job.state) tell(job);
    },
    audit,
    refused({ verb, instance, opId, actor }, error) {
      const place = { ...(instance === null ? {} : { instance }), ...error.details };
      log.warn('Operation was refused', { source: 'audit', verb, opId, actor, code: error.code, ...place });
    },
  };
  return journal;
}
