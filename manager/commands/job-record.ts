import { createHash, randomBytes } from 'node:crypto';
import type { Job } from '../../common/model/job.ts';
import type { Command, JobReport } from '../../common/wire/link.ts';
import type { StoredJob } from '../store/ports.ts';
import type { DispatchRequest } from './ports.ts';

/** An opId for callers that brought none: 128 random bits. */
export function newOpId(): string {
  return randomBytes(16).toString('base64url');
}

/**
 * What makes two calls the same operation. The host of an instance is left out: it may have moved between a call and
 * its retry, and the retry must still find its job.
 */
export function argsHash(request: DispatchRequest): string {
  const { verb, instance, args } = request;
  const host = instance === null || request.creates !== undefined ? (request.host ?? null) : null;
  return createHash('sha256').update(canonical({ verb, instance, host, args })).digest('hex');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function isFinished(state: Job['state']): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

/** A job as clients see it: without what only a replay is compared with. */
export function presentJob(job: StoredJob): Job {
  const { argsHash: _hash, fence: _fence, args: _args, ...rest } = job;
  return rest;
}

/**
 * The command on the wire. `expiresMs` is in the agent's own time (`clockOffsetMs` is manager minus agent), so a
 * skewed clock on the host neither refuses a fresh command nor runs an old one.
 */
export function commandOf(job: StoredJob, expiryMs: number, clockOffsetMs: number): Command {
  return {
    opId: job.id,
    verb: job.verb,
    instance: job.instance,
    args: job.args,
    actor: job.actor,
    fence: job.fence,
    expiresMs: Math.round(job.createdMs + expiryMs - clockOffsetMs),
  };
}

/**
 * The job after its agent's report, or null when the report changes nothing. What has ended for good stays; `unknown`
 * is not an end: what the agent says later decides. Agent times are moved to the manager's clock.
 */
export function afterReport(
  job: StoredJob,
  report: JobReport,
  clock: { nowMs: number; clockOffsetMs: number },
): StoredJob | null {
  if (isFinished(job.state)) return null;
  const mine = (agentMs: number | null) =>
    agentMs === null ? null : Math.min(clock.nowMs, Math.max(job.createdMs, agentMs + clock.clockOffsetMs));
  const { detail: _past, ...kept } = job;
  const next: StoredJob = {
    ...kept,
    state: report.state,
    progress: report.progress,
    ...(report.final || report.detail === undefined ? {} : { detail: report.detail }),
    startedMs: mine(report.startedMs) ?? job.startedMs ?? (report.state === 'running' ? clock.nowMs : null),
    endedMs: report.final ? (mine(report.endedMs) ?? clock.nowMs) : null,
    error: report.error,
    result: report.result,
  };
  return JSON.stringify(next) === JSON.stringify(job) ? null : next;
}
