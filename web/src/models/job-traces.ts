import type { JobDetail } from '../../../common/model/job.ts';
import type { JobModel, Jobs } from './nouns.ts';

/** What a job told of itself over time, oldest first. Rates are per second. */
export interface JobTrace {
  tsMs: number[];
  remainingBytes: number[];
  rateBps: number[];
  /** The newest detail, kept after the job has ended. */
  last: JobDetail | null;
}

const EMPTY: JobTrace = { tsMs: [], remainingBytes: [], rateBps: [], last: null };

/** Traces of the newest jobs, so that the page of a job has its curve whenever it is opened, also after the end. */
export class JobTraces {
  #traces = new Map<string, JobTrace>();
  #jobs: number;
  #points: number;

  /** Keeps at most `points` of each of `jobs` jobs. */
  constructor(jobs: number, points: number) {
    this.#jobs = jobs;
    this.#points = points;
  }

  of(jobId: string): JobTrace {
    return this.#traces.get(jobId) ?? EMPTY;
  }

  add(jobId: string, tsMs: number, detail: JobDetail): void {
    let trace = this.#traces.get(jobId);
    if (trace === undefined) {
      trace = { tsMs: [], remainingBytes: [], rateBps: [], last: null };
      this.#traces.set(jobId, trace);
      if (this.#traces.size > this.#jobs) this.#traces.delete(this.#traces.keys().next().value!);
    }
    trace.last = detail;
    if (detail.remainingBytes === undefined || tsMs <= (trace.tsMs.at(-1) ?? -1)) return;
    trace.tsMs.push(tsMs);
    trace.remainingBytes.push(detail.remainingBytes);
    trace.rateBps.push(detail.rateBps ?? 0);
    if (trace.tsMs.length > this.#points) thin(trace);
  }
}

/** Every second point goes: a long move keeps its whole shape, only coarser. The newest stays. */
function thin(trace: JobTrace): void {
  const last = trace.tsMs.length - 1;
  const kept = <T>(list: T[]) => list.filter((_, index) => (last - index) % 2 === 0);
  trace.tsMs = kept(trace.tsMs);
  trace.remainingBytes = kept(trace.remainingBytes);
  trace.rateBps = kept(trace.rateBps);
}

/** Records what every job tells of itself, for as long as the console is open. */
export function recordTraces(jobs: Jobs, traces: JobTraces, nowMs: () => number): void {
  jobs.on('add change:detail', (job: JobModel) => {
    const detail = job.get('detail');
    if (detail) traces.add(String(job.id), nowMs(), detail);
  });
}
