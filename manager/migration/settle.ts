import type { Look } from '../../common/wire/migration.ts';
import type { Conclusion } from '../commands/judge.ts';
import type { StoredJob } from '../store/ports.ts';
import { lookAt } from './look.ts';
import { endingText } from './operator.ts';
import type { JobReport, MigrationDeps, SideName } from './ports.ts';
import { resultOf } from './result.ts';
import { describe, sideOf } from './sides.ts';
import type { Steps } from './steps.ts';
import { decide, type Ending, type Step, type Verdict } from './verdict.ts';

export interface SettleConfig {
  /** How long a host may be away before its side counts as unreachable: agents and daemons restart. Milliseconds. */
  graceMs: number;
  /** Pause between two looks; a state counts when two looks in a row agree. Milliseconds. */
  lookEveryMs: number;
  /** Before the source's guest is ended because it runs on the target, that must have been so for this long. Milliseconds. */
  sureMs: number;
  /** Where a host did not answer, its libvirt is asked again this often: it may hang while its agent is there. Milliseconds. */
  askAgainMs: number;
}

export const SETTLE_DEFAULTS: SettleConfig = { graceMs: 12_000, lookEveryMs: 300, sureMs: 2_000, askAgainMs: 10_000 };

const MOST_ROUNDS = 8;
const SIDES: readonly SideName[] = ['source', 'target'];

export interface Settled {
  conclusion: Conclusion;
  /** The sides that did not answer: it is decided anew when they do. */
  silent: SideName[];
}

interface Both {
  source: Look | null;
  target: Look | null;
}

/**
 * Finds out how a move ended and puts right what it left: looks at both hosts until two looks agree and libvirt has
 * nothing under way, decides by the truth table, does the steps, looks again. `report` is the agent's last word; it only
 * says how a failure is called, never where the instance is.
 */
export async function settle(
  job: StoredJob,
  report: JobReport | null,
  config: SettleConfig,
  deps: MigrationDeps & { steps: Steps; stopped(): boolean },
): Promise<Settled | null> {
  const nowMs = deps.monotonicMs ?? (() => performance.now());
  const names = { source: job.hostName ?? job.host ?? '', target: job.targetName ?? job.target ?? '' };
  const hosts: Record<SideName, string> = { source: job.host ?? '', target: job.target ?? '' };
  const about = { job: job.id, instance: job.instance, instanceName: job.instanceName, ...names };
  const wasLive = job.args['live'] === true;
  const wasPaused = (job.args['was'] as { paused?: boolean } | undefined)?.paused === true;
  const patientUntilMs = nowMs() + config.graceMs;
  deps.commands.tell(job.id, 'looks at both hosts');

  const look = (side: SideName) => lookAt(deps, hosts[side], job.instance);

  /** Two looks that agree, with nothing under way. Null when the manager stops. */
  async function steadyLook(): Promise<Both | null> {
    let before = '';
    let sinceMs = nowMs();
    for (;;) {
      if (deps.stopped()) return null;
      const [source, target] = await Promise.all([look('source'), look('target')]);
      const silent = source === null || target === null;
      if (silent && nowMs() >= patientUntilMs) return { source, target };
      const now =
        silent || source.busy || target.busy
          ? ''
          : JSON.stringify([source.state, source.reason, target.state, target.reason]);
      if (now !== before) sinceMs = nowMs();
      // A daemon that came back shows its guests before it has decided which of them to keep.
      const ends = source?.state === 'paused' && target?.state === 'running';
      if (now !== '' && now === before && (!ends || nowMs() - sinceMs >= config.sureMs)) return { source, target };
      // Of two that run, none may wait for a calm second look.
      const both = source?.state === 'running' && target?.state === 'running';
      before = now;
      if (both && now !== '') continue;
      await new Promise((resolve) => setTimeout(resolve, config.lookEveryMs));
    }
  }

  async function take({ side, step }: Step): Promise<boolean> {
    const done = await deps.steps.run(hosts[side], job, step);
    const outcome = done?.state ?? 'no answer';
    const fields = { ...about, step, host: hosts[side], hostName: names[side], outcome };
    if (done?.state === 'done') deps.log.info('Settling the move: a step was done', fields);
    else deps.log.warn('Settling the move: a step was not done', { ...fields, error: done?.error ?? null });
    return done?.state === 'done';
  }

  function conclude(end: Ending, both: Both): Settled {
    const seen = { source: sideOf(both.source, 'source'), target: sideOf(both.target, 'target') };
    const text = endingText(end, {
      ...{ instance: job.instance ?? '', sourceName: names.source, targetName: names.target },
      ...seen,
    });
    const unreachable = end.unreachable === true;
    const silent = SIDES.filter((side) => seen[side] === 'unreachable');
    const fields = {
      ...about,
      seenOnSource: describe(both.source),
      seenOnTarget: describe(both.target),
      decision: text,
    };
    if (end.alarm) deps.log.error('ALARM: a move needs a person', { ...fields, source: 'audit' });
    else deps.log.info('The move is decided', fields);
    if (end.state === 'done')
      return {
        silent,
        conclusion: { state: 'done', error: null, result: resultOf(job, report, both.target, text) },
      };
    const said = report?.error ?? null;
    if (end.state === 'unknown') {
      const code = unreachable ? 'host-unreachable' : 'timeout';
      return { silent, conclusion: { state: 'unknown', error: { code, message: text }, result: null } };
    }
    // An agent that could not tell is not quoted: by now it is known.
    const why = report?.state === 'unknown' || report === null ? 'The move was broken off.' : (said?.message ?? '');
    const state = report?.state === 'cancelled' ? 'cancelled' : 'failed';
    const code =
      (report?.state === 'unknown' ? null : said?.code) ?? (state === 'cancelled' ? 'op-cancelled' : 'libvirt-failed');
    return {
      silent,
      conclusion: { state, error: { code, message: `${text} ${why}`.trim() }, result: null },
    };
  }

  for (let round = 0; ; round += 1) {
    const both = await steadyLook();
    if (both === null) return null;
    const seen = { source: sideOf(both.source, 'source'), target: sideOf(both.target, 'target') };
    const verdict: Verdict = decide({
      ...seen,
      wasPaused,
      wasLive,
      targetPersistent: both.target?.persistent === true,
    });
    deps.log.info('Looked at both hosts after the move', {
      ...about,
      ...{
        seenOnSource: describe(both.source),
        seenOnTarget: describe(both.target),
        onSource: seen.source,
        onTarget: seen.target,
      },
      steps: verdict.steps.map(({ side, step }) => `${step} on ${names[side]}`),
    });
    // Both at once: of two that run, none may go on longer than the other.
    await Promise.all(verdict.steps.map(take));
    if (verdict.end !== null) return conclude(verdict.end, both);
    if (round >= MOST_ROUNDS)
      return conclude({ state: 'unknown', alarm: true, text: 'What was decided could not be done.' }, both);
  }
}
