import type { JobDetail } from '../../../common/model/job.ts';
import type { NewLine } from '../../../common/model/line.ts';
import type { LibvirtJob } from '../../../common/wire/migration.ts';
import { jobOfStats, parseJobInfo } from '../../libvirt/job-info.ts';
import type { MigrationVirsh } from '../../libvirt/migration-virsh.ts';
import { createPace } from './migrate-pace.ts';
import type { ProcedureCall } from './procedure.ts';

const POLL_MS = 250;
/** libvirt has nothing under way any more and virsh does not come back: it will not. */
const STALLED_MS = 20_000;

export interface Watched {
  /** libvirt's own numbers of the whole move, where its event came. */
  completed: LibvirtJob | null;
  /** Why it was stopped by us: the guest cannot be copied within the limits. */
  gaveUp: string | null;
  rounds: number;
}

export interface WatchDeps {
  virsh: Pick<MigrationVirsh, 'peek'>;
  /** Lines about the instance, as they are written. */
  lines(handler: (line: NewLine) => void): () => void;
  giveUpMs: number;
  /** Told once, when libvirt has ended the move and virsh does not. */
  stalled(): void;
}

/**
 * Looks at a running move every quarter of a second: tells how far it is, raises the limit of the downtime, and stops it
 * when it is cancelled or does not come to an end. `stop` resolves with what was learnt; `late` waits a moment for the
 * last word of libvirt.
 */
export function watchMigration(
  call: ProcedureCall,
  options: { live: boolean; longestMs: number | undefined; startedAtMs: number },
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
    if (line.unit === 'lifecycle' && /^Suspended Migrated/.test(detail)) tell('hands over');
    if (line.unit !== 'job-completed' || String(line.fields?.['operation']) !== '5') return;
    seen.completed = jobOfStats((key) => line.fields?.[key]);
    completed();
  });

  function tell(now: string, job: LibvirtJob | null = null): void {
    phase = now;
    // Before the first pass all numbers are zero and say nothing.
    if (job !== null && job.totalBytes > 0) {
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
      seen.gaveUp = `After ${job.rounds} passes the guest still changes its memory faster (${mib(job.dirtyRateBps)} MiB/s) than it can be copied (${mib(job.rateBps)} MiB/s) within a stop of ${pace.limitMs} ms. Allow a longer stop (maxDowntimeMs), or move it when it does less.`;
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
    while (!ended) {
      // What cannot be read now is read the next time: the move itself does not hang on it.
      await look().catch(() => undefined);
      if (!ended) await new Promise<void>((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
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
      call.signal.removeEventListener('abort', onCancel);
      off();
      return seen;
    },
  };
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0);
}
