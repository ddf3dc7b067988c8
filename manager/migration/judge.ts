import type { Judge } from '../commands/judge.ts';
import type { StoredJob } from '../store/ports.ts';
import { lookAt } from './look.ts';
import type { JobReport, MigrationDeps, SideName } from './ports.ts';
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

/** A job that is unknown because a host did not answer. */
interface Waiting {
  /** The agent's last word, where we heard it. */
  report: JobReport | null;
  /** Those that did not answer. After a start of the manager nobody remembers: both. */
  silent: SideName[];
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
  const waiting = new Map<string, Waiting>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function work(job: StoredJob, report: JobReport | null): Promise<void> {
    if (report?.state === 'done' && (await cleanEnd(job, report))) return;
    const settled = await settle(job, report, config, { ...deps, stopped: () => stopped });
    if (settled === null || stopped) return;
    if (settled.silent.length > 0) waiting.set(job.id, { report, silent: settled.silent });
    commands.conclude(job.id, settled.conclusion);
    // While nobody knows where it is, the lines of both hosts go on belonging to the move.
    if (settled.silent.length === 0) deps.closed(job);
  }

  /** virsh said that all went well. The target is looked at all the same: for its numbers, and to see that it is true. */
  async function cleanEnd(job: StoredJob, report: JobReport): Promise<boolean> {
    const target = job.target ?? '';
    const about = { job: job.id, instance: job.instance, instanceName: job.instanceName };
    const look = await lookAt(deps, target, job.instance);
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

  /** The job, as long as its move has still something to say. */
  function undecided(id: string): StoredJob | null {
    const job = jobs.get(id);
    // Somebody may have done something with the instance since: then the old move is over.
    if (job?.state === 'unknown' && job.instance !== null)
      if (jobs.list({ limit: 1, instance: job.instance })[0]?.id === id) return job;
    waiting.delete(id);
    return null;
  }

  function decideAnew(job: StoredJob, report: JobReport | null): void {
    if (commands.reopen(job.id)) begin({ ...job, state: 'running' }, report);
  }

  /** An agent may be there whose libvirt hangs, so no link tells when it answers again. */
  async function askAgain(id: string, { report, silent }: Waiting): Promise<void> {
    const job = undecided(id);
    if (job === null) return;
    const hosts = { source: job.host, target: job.target };
    const looks = await Promise.all(
      silent.map((side) => (link.connected(hosts[side] ?? '') ? lookAt(deps, hosts[side], job.instance) : null)),
    );
    // Also when it is one of two: then there is more to tell the person who must help.
    if (looks.some((look) => look !== null) && waiting.has(id) && !stopped) decideAnew(job, report);
  }

  async function askAllAgain(): Promise<void> {
    await Promise.all([...waiting].map(([id, entry]) => askAgain(id, entry)));
    if (!stopped) timer = setTimeout(() => void askAllAgain(), config.askAgainMs);
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
      for (const [id, { report }] of [...waiting]) {
        const job = undecided(id);
        const hosts = [job?.host ?? '', job?.target ?? ''];
        if (job !== null && hosts.includes(hostId) && hosts.every(link.connected)) decideAnew(job, report);
      }
    },
    start() {
      for (const job of jobs.list({ limit: REMEMBERED_JOBS, state: 'unknown' }))
        if (job.verb === VERB && job.error?.code === 'host-unreachable')
          waiting.set(job.id, { report: null, silent: ['source', 'target'] });
      timer = setTimeout(() => void askAllAgain(), config.askAgainMs);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
