import { isWebvirtError, WebvirtError } from '../../common/errors.ts';
import type { Job } from '../../common/model/job.ts';
import type { JobReport } from '../../common/wire/link.ts';
import type { Bus } from '../bus/bus.ts';
import type { JobStore, StoredJob } from '../store/ports.ts';
import { afterReport, argsHash, commandOf, isFinished, newOpId, presentJob } from './job-record.ts';
import { createJournal } from './journal.ts';
import { createJudged, type Judge, type Judged } from './judge.ts';
import type { CommandsConfig } from './limits.ts';
import { withLiveProgress } from './live-progress.ts';
import { createInstanceLocks } from './locks.ts';
import type { CommandInventory, CommandLink, CommandLog, DispatchRequest } from './ports.ts';
import { createRetries } from './retries.ts';
import { createWatch } from './watch.ts';

export { COMMANDS_DEFAULTS, type CommandsConfig } from './limits.ts';

export interface CommandsDeps {
  jobs: JobStore;
  inventory: CommandInventory;
  link: CommandLink;
  bus: Bus;
  log: CommandLog;
  /** Decides on jobs that concern two hosts; none where absent. */
  judge?: Judge;
  /** Wall clock for what people read; monotonic clock for every decision. */
  nowMs?: () => number;
  monotonicMs?: () => number;
}

export interface Commands extends Judged {
  start(): void;
  stop(): void;
  /**
   * Journals the operation (synced), sends it, and returns its job; nothing is awaited on the way to the wire.
   * The same `opId` with the same arguments returns the job it already made. Errors: `op-id-reused`, `not-found`,
   * `host-unreachable`, `busy` (names the holder), `journal-full`; after none of them was anything done.
   */
  dispatch(request: DispatchRequest): Job;
  get(id: string): Job | null;
  /** Newest first. */
  list(options: { limit: number; beforeMs?: number; instance?: string; host?: string; state?: string }): Job[];
  /** Asks the agent to stop the job; the outcome comes with its report. Errors: `not-found`, `wrong-state`, `host-unreachable`. */
  cancel(id: string, actor: string): Job;
  /** The agent's word on a job. It is acked only after our own commit, so it is repeated until we have it. */
  onReport(hostId: string, report: JobReport): void;
  /** A host's link is up: what it may not have received is sent again (the agent knows an opId it has seen). */
  onConnected(hostId: string): void;
}

/** The road of commands: journal, wire, outcome. */
export function createCommands(config: CommandsConfig, deps: CommandsDeps): Commands {
  const { inventory, link, bus, log } = deps;
  const jobs = withLiveProgress(deps.jobs);
  const nowMs = deps.nowMs ?? Date.now;
  const monotonicMs = deps.monotonicMs ?? (() => performance.now());
  const locks = createInstanceLocks((instance, jobId) => inventory.setBusy(instance, jobId));
  const connected = (host: string) => link.connected(host);
  const watch = createWatch(
    { firstWordMs: config.expiryMs + 5_000, nextWordMs: config.silenceMs, hostGoneMs: config.hostGoneMs },
    { monotonicMs, connected },
  );
  const journal = createJournal({ jobs, bus, log, nowMs });
  /** Jobs of which the agent never said a word: only these are ever sent twice. */
  const unheard = new Map<string, StoredJob>();
  const wasConnected = new Set<string>();
  const retries = createRetries((error) =>
    log.error('The journal of jobs cannot be written; it is tried again', { reason: String(error) }),
  );
  const stops: (() => void)[] = [];

  function send(job: StoredJob): boolean {
    const offsetMs = inventory.host(job.host ?? '')?.clockOffsetMs ?? 0;
    return link.send(job.host ?? '', { t: 'command', command: commandOf(job, config.expiryMs, offsetMs) });
  }

  function placeOf(request: DispatchRequest) {
    const makes = request.creates !== undefined;
    const instance = request.instance === null || makes ? null : (inventory.instance(request.instance) ?? null);
    if (request.instance !== null && instance === null && !makes)
      throw new WebvirtError('not-found', `There is no instance ${request.instance}.`);
    const hostId = instance?.host ?? request.host ?? '';
    const host = inventory.host(hostId);
    const hostName = instance?.hostName ?? host?.name ?? hostId;
    if (!connected(hostId))
      throw new WebvirtError(
        'host-unreachable',
        `Host ${hostName} does not answer now, so nothing was done. Try again when it is online.`,
        { host: hostId, instance: request.instance },
      );
    return { instanceName: request.creates?.name ?? instance?.name ?? null, hostId, hostName };
  }

  function replayed(existing: StoredJob, hash: string): Job {
    if (existing.argsHash !== hash)
      throw new WebvirtError('op-id-reused', `The opId ${existing.id} already stands for another operation.`, {
        job: existing.id,
      });
    return presentJob(existing);
  }

  function begin(request: DispatchRequest): Job {
    const hash = argsHash(request);
    const id = request.opId ?? newOpId();
    const existing = request.opId === undefined ? null : jobs.get(id);
    if (existing !== null) return replayed(existing, hash);
    const place = placeOf(request);
    if (request.instance !== null) locks.mustBeFree(request.instance, place.instanceName, request.verb);
    const { inserted, job } = journal.plan({ ...request, id, argsHash: hash, ...place });
    if (!inserted) return replayed(job, hash);
    locks.take(job);
    watch.heard(job);
    unheard.set(job.id, job);
    if (!send(job)) {
      end(job);
      return presentJob(journal.refuse(job));
    }
    journal.announce(job);
    return presentJob(job);
  }

  function end(job: StoredJob): void {
    watch.forget(job.id);
    unheard.delete(job.id);
    locks.release(job);
  }

  function markUnknown(job: StoredJob): void {
    const heard = job.startedMs !== null;
    journal.change({
      ...job,
      state: 'unknown',
      endedMs: nowMs(),
      error: {
        code: 'timeout',
        message: `Host ${job.hostName ?? job.host} gave no outcome in time. Look at the instance before you try again.`,
      },
    });
    watch.forget(job.id);
    locks.release(job);
    // Kept when it was never heard of: at the next connection the agent can still say whether it ran.
    if (heard) unheard.delete(job.id);
  }

  function sweep(): void {
    retries.again();
    for (const id of watch.overdue()) {
      retries.attempt(id, () => {
        const job = jobs.get(id);
        if (job === null || isFinished(job.state) || job.state === 'unknown') return;
        if (deps.judge?.takes(job, null) !== true) markUnknown(job);
      });
    }
  }

  /** Acked only when it is in the journal: the agent tells it again at its next connection. */
  function take(hostId: string, report: JobReport): void {
    const job = jobs.get(report.opId);
    if (job !== null && job.host !== hostId) {
      log.warn('An agent reported on a job of another host; ignored', { job: report.opId, host: hostId });
      return;
    }
    if (job === null) {
      if (deps.judge?.heard(report) !== true)
        log.warn('An agent reported on a job that is not known', { job: report.opId, host: hostId });
    } else if (report.final && !isFinished(job.state) && deps.judge?.takes(job, report) === true) {
      unheard.delete(job.id);
      watch.forget(job.id);
      return;
    } else {
      unheard.delete(job.id);
      const clockOffsetMs = inventory.host(hostId)?.clockOffsetMs ?? 0;
      const next = afterReport(job, report, { nowMs: nowMs(), clockOffsetMs });
      if (next !== null) journal.change(next);
      const now = next ?? job;
      if (report.final || isFinished(now.state)) end(now);
      else {
        // A job that was given up as unknown and speaks again holds its instance again, if nobody else does.
        if (job.state === 'unknown' && inventory.instance(job.instance ?? '')?.busyJob === null) locks.take(now);
        watch.heard(now);
      }
    }
    if (report.final) link.send(hostId, { t: 'job-ack', opId: report.opId });
  }

  const judged = createJudged({
    ...{ jobs, journal, locks, end, nowMs, attempt: retries.attempt },
    holder: (instance) => inventory.instance(instance)?.busyJob ?? null,
    ack: (job) => void link.send(job.host ?? '', { t: 'job-ack', opId: job.id }),
  });

  const commands: Commands = {
    ...judged,
    start() {
      for (const job of jobs.unfinished()) {
        locks.take(job);
        watch.heard(job);
        if (job.startedMs === null) unheard.set(job.id, job);
      }
      for (const job of jobs.list({ limit: 200, state: 'unknown' }))
        if (job.startedMs === null) unheard.set(job.id, job);
      const timer = setInterval(sweep, config.sweepMs);
      timer.unref();
      stops.push(() => clearInterval(timer));
      stops.push(
        bus.on('host', ({ id }) => {
          if (!connected(id)) wasConnected.delete(id);
          else if (!wasConnected.has(id)) commands.onConnected(id);
        }),
      );
    },
    stop() {
      for (const stop of stops.splice(0)) stop();
    },
    dispatch(request) {
      try {
        return begin(request);
      } catch (error) {
        if (isWebvirtError(error)) journal.refused(request, error);
        throw error;
      }
    },
    get(id) {
      const job = jobs.get(id);
      return job === null ? null : presentJob(job);
    },
    list: (options) => jobs.list(options).map(presentJob),
    cancel(id, actor) {
      const job = jobs.get(id);
      if (job === null) throw new WebvirtError('not-found', `There is no job ${id}.`);
      if (job.state === 'cancelled') return presentJob(job);
      if (job.state !== 'planned' && job.state !== 'running')
        throw new WebvirtError('wrong-state', `Job ${id} has ended (${job.state}); it cannot be cancelled.`);
      if (!link.send(job.host ?? '', { t: 'cancel', opId: id }))
        throw new WebvirtError('host-unreachable', `Host ${job.hostName ?? job.host} does not answer now.`);
      journal.audit('Cancel of a job was asked for', job, actor);
      return presentJob(job);
    },
    onReport: (hostId, report) => retries.attempt(`${hostId} ${report.opId}`, () => take(hostId, report)),
    onConnected(hostId) {
      wasConnected.add(hostId);
      for (const job of unheard.values()) if (job.host === hostId) send(job);
    },
  };
  return commands;
}
