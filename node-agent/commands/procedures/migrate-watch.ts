import type { JobDetail } from '../../../common/model/job.ts';
import type { NewLine } from '../../../common/model/line.ts';
import type { LibvirtJob } from '../../../common/wire/migration.ts';
import { jobOfStats, parseJobInfo } from '../../libvirt/job-info.ts';
import type { MigrationVirsh } from '../../libvirt/migration-virsh.ts';
import { createPace } from './migrate-pace.ts';
import { reachTimes, watchReach } from './migrate-reach.ts';
import type { ProcedureCall } from './procedure.ts';

const POLL_MS = 250;
/** Moves of small quiet guests are over by then, and a look in the middle of the hand-over would prolong it. */
const FIRST_LOOK_MS = 1_000;
/** libvirt has nothing under way any more and virsh does not come back: it will not. */
const STALLED_MS = 20_000;

export interface Watched {
  /** libvirt's own numbers of the whole move, where its event came. */
  completed: LibvirtJob | null;
  /** Why it was stopped by us: the guest cannot be copied within the limits, or the target is gone. */
  gaveUp: { code: 'timeout' | 'host-unreachable'; text: string } | null;
  rounds: number;
}

export interface WatchDeps {
  virsh: Pick<MigrationVirsh, 'peek'>;
  /** Lines about the instance, as they are written. */
  lines(handler: (line: NewLine) => void): () => void;
  giveUpMs: number;
  /** Whether the target's libvirt answers now, or nobody can tell. */
  targetAnswers(deadlineMs: number): Promise<boolean>;
  /** Told when libvirt has ended the move, or was told to end it before anything was sent, and virsh does not end. */
  stalled(): void;
}

/**
 * Looks at a running move every quarter of a second: tells how far it is, raises the limit of the downtime, and stops it
 * when it is cancelled or does not come to an end. `stop` resolves with what was learnt; `late` waits a moment for the
 * last word of libvirt.
 */
export function watchMigration(
  call: ProcedureCall,
  options: { live: boolean; longestMs: number | undefined; startedAtMs: number; connectMs: number },
  deps: WatchDeps,
): { stop(lateMs: number): Promise<Watched> } {
  const id = call.entry.instance ?? '';
  const pace = createPace({ longestMs: options.longestMs, giveUpMs: deps.giveUpMs });
  const seen: Watched = { completed: null, gaveUp: null, rounds: 0 };
  let phase = 'prepares both hosts';
  let best = 0;
  let last: Partial<JobDetail> = {};
  let ended = false;
  let quietSinceMs: number | null = null;
  let completed: () => void = () => undefined;
  const lastWord = new Promise<void>((resolve) => {
    completed = resolve;
  });

  const off = deps.lines((line) => {
    if (line.source !== 'libvirt') return;
    const detail = String(line.fields?.['detail'] ?? '');
    if (line.unit === 'lifecycle' && /^Suspended Migrated/.test(detail)) {
      reach?.stop();
      // Told with the next look only: most guests run again by then, and meanwhile every word would be in their way.
      phase = 'hands over';
    }
    if (line.unit !== 'job-completed' || String(line.fields?.['operation']) !== '5') return;
    seen.completed = jobOfStats((key) => line.fields?.[key]);
    completed();
  });

  function tell(now: string, job: LibvirtJob | null = null): void {
    phase = now;
    // Before the first pass all numbers are zero and say nothing.
    if (job !== null && job.totalBytes > 0) {
      reach?.stop();
      seen.rounds = Math.max(seen.rounds, job.rounds);
      best = Math.max(best, Math.min(0.99, 1 - job.remainingBytes / job.totalBytes));
      const { elapsedMs: _elapsed, downtimeMs, ...numbers } = job;
      last = { ...numbers, ...(downtimeMs === null ? {} : { expectedDowntimeMs: downtimeMs }) };
    }
    const elapsedMs = Math.round(performance.now() - options.startedAtMs);
    const limit = options.live ? { downtimeLimitMs: pace.limitMs } : {};
    call.progress(options.live ? best : null, { phase, ...last, elapsedMs, ...limit });
  }

  async function abort(): Promise<void> {
    await deps.virsh.peek(['domjobabort'], id).catch(() => undefined);
  }

  async function look(): Promise<void> {
    if (call.signal.aborted || seen.gaveUp !== null) await abort();
    if (!options.live) return tell(phase);
    const info = parseJobInfo((await deps.virsh.peek(['domjobinfo', '--rawstats'], id)).stdout);
    if (ended) return;
    if (info === null || !info.running) {
      quietSinceMs ??= performance.now();
      if (performance.now() - quietSinceMs >= STALLED_MS) deps.stalled();
      return tell(phase);
    }
    quietSinceMs = null;
    const { job } = info;
    tell(phase === 'hands over' ? phase : job.rounds < 1 ? 'prepares both hosts' : 'copies memory', job);
    if (phase === 'hands over') return;
    const step = pace.step(job, performance.now());
    if (step === 'give-up' && seen.gaveUp === null) {
      const text = `After ${job.rounds} passes the guest still changes its memory faster (${mib(job.dirtyRateBps)} MiB/s) than it can be copied (${mib(job.rateBps)} MiB/s) within a stop of ${pace.limitMs} ms. Allow a longer stop (maxDowntimeMs), or move it when it does less.`;
      seen.gaveUp = { code: 'timeout', text };
      call.line('warn', 'the move is given up: the guest changes its memory faster than it can be copied', {
        ...{ rounds: job.rounds, dirtyRateBps: job.dirtyRateBps, rateBps: job.rateBps, downtimeLimitMs: pace.limitMs },
      });
      await abort();
    } else if (step !== null && step !== 'give-up') {
      await deps.virsh.peek(['migrate-setmaxdowntime', `--downtime=${step.raiseToMs}`], id);
      call.line('info', 'the memory is not copied fast enough for so short a stop: a longer one is allowed', {
        ...{ downtimeLimitMs: step.raiseToMs, rounds: job.rounds },
      });
    }
  }

  async function run(): Promise<void> {
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = POLL_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve, waitMs));
      if (ended) return;
      // What cannot be read now is read the next time: the move itself does not hang on it.
      await look().catch(() => undefined);
    }
  }

  function lost(): void {
    const text =
      'The target’s libvirt gave no answer before anything of the guest was sent, and the move was told to end. libvirt may hold the guest for some minutes more, until the kernel gives up to connect.';
    seen.gaveUp ??= { code: 'host-unreachable', text };
    call.line('warn', 'the move is given up: libvirt of the target does not answer', {});
    void abort();
    // What libvirt waits for cannot be ended from outside; that it was told to end holds all the same.
    setTimeout(() => !ended && deps.stalled(), reachTimes(options.connectMs).endMs).unref();
  }
  // A cold one is over in a moment, and libvirt knows no word to end it.
  const reach = options.live ? watchReach(options.connectMs, { answers: deps.targetAnswers, lost }) : undefined;

  const onCancel = () => void abort();
  call.signal.addEventListener('abort', onCancel);
  tell(phase);
  void run();

  return {
    async stop(lateMs) {
      if (lateMs > 0 && seen.completed === null) {
        let timer: NodeJS.Timeout | undefined;
        await Promise.race([lastWord, new Promise((resolve) => (timer = setTimeout(resolve, lateMs)))]);
        clearTimeout(timer);
      }
      ended = true;
      reach?.stop();
      call.signal.removeEventListener('abort', onCancel);
      off();
      return seen;
    },
  };
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0);
}
