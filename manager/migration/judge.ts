import { lookSchema } from '../../common/wire/migration.ts';
import type { Judge } from '../commands/judge.ts';
import type { StoredJob } from '../store/ports.ts';
import type { JobReport, MigrationDeps } from './ports.ts';
import { resultOf } from './result.ts';
import { type SettleConfig, settle } from './settle.ts';
import { sideOf } from './sides.ts';
import type { Steps } from './steps.ts';

export interface MigrationJudge extends Judge {
  start(): void;
  stop(): void;
  /** A host answers again: what could not be decided without it is decided now. */
  up(hostId: string): void;
}

const VERB = 'migrate';
const REMEMBERED_JOBS = 500;

/** Decides how each move ended. `closed` is told when a move has its end. */
export function createMigrationJudge(
  config: SettleConfig,
  deps: MigrationDeps & { steps: Steps; closed(job: StoredJob): void },
): MigrationJudge {
  const { commands, log, jobs, link } = deps;
  const deciding = new Set<string>();
  /** Jobs that are unknown because a host did not answer, with the agent's last word where we heard it. */
  const waiting = new Map<string, JobReport | null>();
  let stopped = false;

  async function work(job: StoredJob, report: JobReport | null): Promise<void> {
    if (report?.state === 'done' && (await cleanEnd(job, report))) return;
    const settled = await settle(job, report, config, { ...deps, stopped: () => stopped });
    if (settled === null || stopped) return;
    if (settled.unreachable) waiting.set(job.id, report);
    commands.conclude(job.id, settled.conclusion);
    // While nobody knows where it is, the lines of both hosts go on belonging to the move.
    if (!settled.unreachable) deps.closed(job);
  }

  /** virsh said that all went well. The target is looked at all the same: for its numbers, and to see that it is true. */
  async function cleanEnd(job: StoredJob, report: JobReport): Promise<boolean> {
    const target = job.target ?? '';
    const about = { job: job.id, instance: job.instance, instanceName: job.instanceName };
    const look = await deps.ask(target, 'look', { instance: job.instance }).then(
      (told) => lookSchema.parse(told),
      () => null,
    );
    const side = sideOf(look, 'target');
    if (side === 'absent' || side === 'moving' || side === 'odd') {
      log.warn('The source says that the instance has moved, but it is not so on the target', { ...about, seen: side });
      return false;
    }
    const was = job.args['was'] as { autostart?: boolean } | undefined;
    if (was?.autostart === true && look?.autostart !== true) {
      // libvirt forgets this mark in a move.
      const step = await deps.steps.run(target, job, 'autostart');
      if (step?.state !== 'done') log.warn('The mark to start with its host could not be set on the target', about);
    }
    if (stopped) return true;
    commands.conclude(job.id, { state: 'done', error: null, result: { ...resultOf(job, report, look) } });
    deps.closed(job);
    return true;
  }

  function begin(job: StoredJob, report: JobReport | null): void {
    if (deciding.has(job.id) || stopped) return;
    deciding.add(job.id);
    waiting.delete(job.id);
    work(job, report)
      .catch((error: unknown) => log.error('A move could not be decided', { job: job.id, reason: String(error) }))
      .finally(() => deciding.delete(job.id));
  }

  function decideAnew(id: string, report: JobReport | null): void {
    const job = jobs.get(id);
    if (job?.state !== 'unknown' || job.instance === null) return void waiting.delete(id);
    // Somebody has done something with it since: the old move has nothing more to say.
    if (jobs.list({ limit: 1, instance: job.instance })[0]?.id !== id) return void waiting.delete(id);
    if (!link.connected(job.host ?? '') || !link.connected(job.target ?? '')) return;
    if (commands.reopen(id)) begin({ ...job, state: 'running' }, report);
  }

  return {
    takes(job, report) {
      if (job.verb !== VERB) return false;
      // Refused, or ended before anything was begun: nothing can have moved.
      if (report !== null && report.state !== 'done' && report.startedMs === null && job.startedMs === null) {
        deps.closed(job);
        return false;
      }
      // Given up once and told of now: decided only while nobody else has the instance.
      if (job.state === 'unknown' && !commands.reopen(job.id)) return false;
      begin(job, report);
      return true;
    },
    heard: deps.steps.heard,
    up(hostId) {
      for (const [id, report] of [...waiting]) {
        const job = jobs.get(id);
        if (job === null || job.host === hostId || job.target === hostId) decideAnew(id, report);
      }
    },
    start() {
      for (const job of jobs.list({ limit: REMEMBERED_JOBS, state: 'unknown' }))
        if (job.verb === VERB && job.error?.code === 'host-unreachable') waiting.set(job.id, null);
    },
    stop() {
      stopped = true;
    },
  };
}
