import { WebvirtError } from '../../common/errors.ts';
import { type Command, commandSchema, type JobReport } from '../../common/wire/link.ts';
import type { CommandDeps } from './command-hypervisor.ts';
import { jobLine } from './job-lines.ts';
import { type Journal, openJournal } from './journal.ts';
import { commandHash, type Entry, keyOf, type Outcome, toReport } from './journal-entry.ts';
import { operate } from './operation.ts';
import { failed, unknown } from './outcomes.ts';
import { procedureCall } from './procedures/call.ts';
import type { Procedure, ProcedureCall } from './procedures/procedure.ts';
import { processStart } from './process-start.ts';
import { recover } from './recover.ts';
import { argsSchema, isProcedure, refusal } from './refusals.ts';
import { createReportHandlers } from './report-handlers.ts';
import { verbNamed } from './verbs/table.ts';
import type { Verb } from './verbs/verb.ts';

export interface CommandRunner {
  /** Ends what an earlier life left open, by looking at the instances. */
  start(): Promise<void>;
  /** Stops; what runs is ended by the next life. */
  stop(): Promise<void>;
  /**
   * Journals the command, then runs it. A known opId answers what is stored and does nothing.
   * @throws {WebvirtError} op-id-reused for a known opId with another operation, bad-request, journal-full.
   */
  submit(command: Command): JobReport;
  /** Ends an operation where that is possible (a wait, a save). False when it is not, or is not running. */
  cancel(opId: string): boolean;
  report(opId: string): JobReport | undefined;
  /** Outcomes that nobody confirmed yet, oldest first, then what runs. */
  unacked(): JobReport[];
  acked(opId: string): void;
  on(handler: (report: JobReport) => void): () => void;
}

export interface CommandRunnerConfig {
  journalPath: string;
  capRows?: number;
  /** How long a guest may take to switch off when the command does not say. */
  shutdownWaitMs?: number;
}

interface Running {
  entry: Entry;
  verb: Verb | Procedure;
  controller: AbortController;
  why: string;
  /** Only the guest is waited for: to stop waiting has no effect on it. */
  waiting: boolean;
  /** libvirt was asked to stop it in the middle. */
  stopAsked: boolean;
}

export function createCommandRunner(config: CommandRunnerConfig, deps: CommandDeps): CommandRunner {
  const { hypervisor, log } = deps;
  const journal: Journal = openJournal({ path: config.journalPath, capRows: config.capRows ?? 10_000 });
  const reports = createReportHandlers(log);
  /** Read now: the port is open before `start`, and what is asked for in between is not of an earlier life. */
  const left = journal.unfinished();
  const procedures = new Map((deps.procedures ?? []).map((procedure) => [procedure.name, procedure]));
  const named = (name: string): Verb | Procedure | undefined => verbNamed(name) ?? procedures.get(name);
  /** By instance, at most one at a time; by opId where there is none. */
  const holders = new Map<string, Running>();
  let stopped = false;

  function told(entry: Entry): void {
    const name = entry.instance === null ? undefined : hypervisor.instance(entry.instance)?.name;
    deps.emit(jobLine(entry, name, deps.now()));
    reports.tell(toReport(entry));
  }

  function end(entry: Entry, outcome: Outcome): void {
    let written: Entry;
    try {
      written = journal.ended(entry.opId, deps.now(), outcome);
    } catch (error) {
      // The row stays open and is decided by a look at the next start; who waits now is told all the same.
      log.error('an outcome could not be journalled', { job: entry.opId, reason: String(error) });
      written = { ...entry, ...outcome, final: true, endedMs: deps.now() };
    }
    told(written);
  }

  function release(running: Running): void {
    const key = keyOf(running.entry);
    if (holders.get(key) === running) holders.delete(key);
  }

  async function carry(running: Running, work: (running: Running) => Promise<Outcome>): Promise<void> {
    const outcome = await work(running).catch((error: unknown) => {
      log.error('an operation failed inside', { job: running.entry.opId, reason: String(error) });
      return failed('internal', 'Something went wrong inside the agent; it is in its log.');
    });
    // Stopping ends nothing: the next life looks. A pre-empted one was ended when it lost its place.
    if (stopped) return;
    const held = holders.get(keyOf(running.entry)) === running;
    release(running);
    if (held) end(running.entry, outcome);
  }

  async function run(running: Running): Promise<Outcome> {
    const { entry, verb, controller } = running;
    if (isProcedure(verb)) return verb.run(callOf(running, verb));
    const timeoutMs = argsSchema.parse(entry.args).timeoutMs;
    return operate(
      { id: entry.instance ?? '', instance: entry.instance, verb },
      {
        hypervisor,
        onStart: (pid) => started(running, pid),
        onWaiting: () => {
          running.waiting = true;
        },
      },
      {
        timeoutMs,
        waitOffMs: config.shutdownWaitMs,
        signal: controller.signal,
        stopAsked: () => running.stopAsked,
        why: () => running.why,
      },
    );
  }

  function callOf(running: Running, procedure: Procedure): ProcedureCall {
    const { entry, controller } = running;
    return procedureCall(entry, procedure, deps, {
      signal: controller.signal,
      why: () => running.why,
      started: (pid) => started(running, pid),
      now: () => (!stopped && holders.get(keyOf(entry)) === running ? running.entry : null),
      tell: reports.tell,
    });
  }

  /** virsh runs already: whatever goes wrong here must not look as if it did not. A procedure calls it for each program. */
  function started(running: Running, pid: number | null): void {
    const { opId, startedMs } = running.entry;
    try {
      const pidStart = pid === null ? null : processStart(pid);
      running.entry = journal.started(opId, { nowMs: deps.now(), pid, pidStart });
      if (startedMs === null) told(running.entry);
    } catch (error) {
      if (!stopped) log.error('a started operation could not be journalled', { job: opId, reason: String(error) });
    }
  }

  function preempt(holder: Running, by: Command): void {
    release(holder);
    holder.why = `${by.verb} of ${by.actor} (job ${by.opId}) took over.`;
    end(holder.entry, { ...failed('op-cancelled', holder.why), state: 'cancelled' });
    holder.controller.abort();
  }

  async function takeUp(running: Running): Promise<Outcome> {
    const { entry, verb } = running;
    if (isProcedure(verb) && !verb.args.safeParse(entry.args).success)
      return unknown('This agent cannot read what its earlier version began, and cannot tell what became of it.');
    if (isProcedure(verb)) return verb.recover(callOf(running, verb));
    return recover(entry, verb, hypervisor, {
      signal: running.controller.signal,
      why: () => running.why,
      waitOffMs: config.shutdownWaitMs,
      onWaiting: () => {
        running.waiting = true;
      },
    });
  }

  function begin(entry: Entry, verb: Verb | Procedure, work: (running: Running) => Promise<Outcome>): void {
    const controller = new AbortController();
    const running = { entry, verb, controller, why: 'It was cancelled.', waiting: false, stopAsked: false };
    holders.set(keyOf(entry), running);
    void carry(running, work);
  }

  return {
    async start() {
      for (const entry of left.splice(0)) {
        const verb = named(entry.verb);
        if (verb === undefined || holders.has(keyOf(entry))) {
          end(entry, { ...failed('internal', 'This agent cannot tell what became of it.'), state: 'unknown' });
          continue;
        }
        begin(entry, verb, takeUp);
      }
    },
    async stop() {
      stopped = true;
      for (const running of holders.values()) if (running.waiting) running.controller.abort();
      journal.close();
    },
    submit(command) {
      const checked = commandSchema.safeParse(command);
      if (!checked.success)
        throw new WebvirtError('bad-request', `Not a command: ${checked.error.message.slice(0, 300)}`);
      const known = journal.find(command.opId);
      if (known !== undefined) {
        if (known.argsHash !== commandHash(command)) throw new WebvirtError('op-id-reused');
        return toReport(known);
      }
      const verb = named(command.verb);
      const holder = holders.get(keyOf(command));
      const seenFence = command.instance === null ? -1 : journal.fence(command.instance);
      const no = refusal(command, { nowMs: deps.now(), verb, seenFence, holder });
      const beforeState = hypervisor.instance(command.instance ?? '')?.state ?? null;
      const entry = journal.add(command, {
        nowMs: deps.now(),
        beforeState,
        emergency: verb !== undefined && !isProcedure(verb) && verb.emergency === true,
      });
      if (no !== null || verb === undefined) {
        end(entry, failed(...(no ?? ['bad-request', 'Unknown operation.'])));
        return toReport(journal.find(command.opId) ?? entry);
      }
      if (holder !== undefined) preempt(holder, command);
      told(entry);
      begin(entry, verb, run);
      return toReport(entry);
    },
    cancel(opId) {
      const running = [...holders.values()].find(({ entry }) => entry.opId === opId);
      if (running === undefined) return false;
      const { verb, entry } = running;
      if (running.waiting) {
        running.why = 'It was cancelled; the guest has the request and may still switch off.';
        running.controller.abort();
        return true;
      }
      if (isProcedure(verb)) {
        if (verb.cancellable === true) running.controller.abort();
        return verb.cancellable === true;
      }
      if (verb.abortWords === undefined || entry.instance === null) return false;
      running.stopAsked = true;
      hypervisor.run(verb.abortWords, entry.instance, { deadlineMs: 10_000 }).then(
        (outcome) => log.info('an operation was asked to stop', { job: opId, ended: outcome.ended }),
        (error: unknown) => log.warn('an operation could not be asked to stop', { job: opId, reason: String(error) }),
      );
      return true;
    },
    report(opId) {
      const entry = journal.find(opId);
      return entry === undefined ? undefined : toReport(entry);
    },
    unacked: () => [...journal.unacked(), ...journal.unfinished()].map(toReport),
    acked: (opId) => journal.ack(opId),
    on: reports.on,
  };
}
