import { Emitter } from './emitter.ts';

export interface Batch {
  id: string;
  /** What was asked, such as `shutdown`. */
  title: string;
  jobs: Set<string>;
}

/** Operations that were asked for together: their outcomes are told together. */
export class Batches extends Emitter {
  #ofJob = new Map<string, Batch>();

  add(id: string, title: string, jobs: readonly string[]): void {
    const batch: Batch = { id, title, jobs: new Set(jobs) };
    for (const job of jobs) this.#ofJob.set(job, batch);
    this.trigger('add', batch);
  }

  of(jobId: string): Batch | null {
    return this.#ofJob.get(jobId) ?? null;
  }
}
