import Backbone from 'backbone';
import { errorHint } from './error-hints.ts';
import type { JobModel, Jobs } from './nouns.ts';

export interface Notice {
  id: string;
  kind: 'good' | 'bad' | 'info';
  title: string;
  text: string;
  href: string | null;
}

export class Notices extends Backbone.Collection<Backbone.Model<Notice>> {
  /** Shows a notice; one with the id of an earlier one replaces it. */
  say(notice: Omit<Notice, 'id'> & { id?: string }): void {
    const id = notice.id ?? `n${Date.now()}-${Math.random()}`;
    this.remove(id);
    this.add({ ...notice, id });
  }

  /** Tells an error where nothing else on the screen does. */
  sayError(title: string, error: { code?: string; message: string }): void {
    const hint = errorHint(error.code ?? '');
    this.say({ kind: 'bad', title, text: hint === null ? error.message : `${error.message} ${hint}`, href: null });
  }
}

const OUTCOMES: Record<string, { kind: Notice['kind']; word: string }> = {
  done: { kind: 'good', word: 'done' },
  failed: { kind: 'bad', word: 'failed' },
  cancelled: { kind: 'info', word: 'cancelled' },
  unknown: { kind: 'bad', word: 'outcome unknown' },
};

/** What a job is about, in words: `start web-1 on alpha`. */
export function jobTitle(job: JobModel): string {
  const what = job.get('instanceName') ?? job.get('instance')?.slice(0, 8) ?? '';
  const where = job.get('hostName');
  return [job.get('verb'), what, where ? `on ${where}` : ''].filter(Boolean).join(' ');
}

/**
 * Announces the outcome of every job, whoever started it. Jobs that had ended before the list was first here are
 * history and stay silent. Returns how to stop.
 */
export function announceJobs(jobs: Jobs, notices: Notices): () => void {
  const listener = Object.assign({}, Backbone.Events) as Backbone.EventsMixin;
  let loaded = false;
  const announce = (job: JobModel) => {
    const outcome = OUTCOMES[job.get('state')!];
    if (!loaded || outcome === undefined) return;
    const error = job.get('error');
    const hint = error ? errorHint(error.code) : null;
    notices.say({
      id: `job-${job.id}`,
      kind: outcome.kind,
      title: `${jobTitle(job)}: ${outcome.word}`,
      text: [error?.message, hint, `Started by ${job.get('actor')}.`].filter(Boolean).join(' '),
      href: `#/jobs/${encodeURIComponent(String(job.id))}`,
    });
  };
  listener.listenTo(jobs, 'add change:state', announce);
  listener.listenTo(jobs, 'loaded', () => {
    loaded = true;
  });
  return () => listener.stopListening();
}
