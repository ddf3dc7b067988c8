import Backbone from 'backbone';
import type { Batch, Batches } from './batches.ts';
import { errorHint } from './error-hints.ts';
import { verbWord } from './job-words.ts';
import type { JobModel, Jobs } from './nouns.ts';

export interface Notice {
  id: string;
  kind: 'good' | 'bad' | 'info';
  title: string;
  text: string;
  href: string | null;
  /** What the link says. */
  link?: string;
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
const REASONS_TOLD = 3;

/** What a job is about, in words: `start web-1 on alpha`, `migrate web-1 from alpha to beta`. */
export function jobTitle(job: JobModel): string {
  const what = job.get('instanceName') ?? job.get('instance')?.slice(0, 8) ?? '';
  const [from, to] = [job.get('hostName'), job.get('targetName')];
  const where = from && to ? `from ${from} to ${to}` : from ? `on ${from}` : '';
  return [verbWord(job.get('verb')!), what, where].filter(Boolean).join(' ');
}

/** Where the reader wants to go once a job has ended. */
function linkOf(job: JobModel): Pick<Notice, 'href' | 'link'> {
  if (job.get('state') === 'done' && job.get('verb') === 'launch' && job.get('instance'))
    return { href: `#/instances/${job.get('instance')}`, link: `Open ${job.get('instanceName') ?? 'it'}` };
  return { href: `#/jobs/${encodeURIComponent(String(job.id))}`, link: 'Show its lines' };
}

/**
 * Announces the outcome of every job, whoever started it; those of one batch in one message that is kept in step. Jobs
 * that had ended before the list was first here are history and stay silent. Returns how to stop.
 */
export function announceJobs(jobs: Jobs, notices: Notices, batches: Batches): () => void {
  const listener = Object.assign({}, Backbone.Events) as Backbone.EventsMixin;
  let loaded = false;

  function announceOne(job: JobModel): void {
    const outcome = OUTCOMES[job.get('state')!]!;
    const error = job.get('error');
    const hint = error ? errorHint(error.code) : null;
    notices.say({
      id: `job-${job.id}`,
      kind: outcome.kind,
      title: `${jobTitle(job)}: ${outcome.word}`,
      text: [error?.message, hint, `Started by ${job.get('actor')}.`].filter(Boolean).join(' '),
      ...linkOf(job),
    });
  }

  function announceBatch(batch: Batch): void {
    const ended = [...batch.jobs].map((id) => jobs.get(id)).filter((job) => job?.ended()) as JobModel[];
    if (ended.length === 0) return;
    for (const job of ended) notices.remove(`job-${job.id}`);
    const bad = ended.filter((job) => job.get('state') !== 'done');
    const running = batch.jobs.size - ended.length;
    const counts = [`${ended.length - bad.length} of ${batch.jobs.size} done`];
    if (bad.length > 0) counts.push(`${bad.length} not`);
    if (running > 0) counts.push(`${running} running`);
    const reasons = bad
      .slice(0, REASONS_TOLD)
      .map((job) => `${job.get('instanceName') ?? ''}: ${job.get('error')?.message ?? job.get('state')}`);
    notices.say({
      id: `batch-${batch.id}`,
      kind: bad.length > 0 ? 'bad' : running > 0 ? 'info' : 'good',
      title: `${batch.title}: ${counts.join(', ')}`,
      text: [...reasons, ...(bad.length > reasons.length ? [`And ${bad.length - reasons.length} more.`] : [])].join(
        ' ',
      ),
      href: '#/jobs',
      link: 'Show the jobs',
    });
  }

  listener.listenTo(jobs, 'add change:state', (job: JobModel) => {
    if (!loaded || OUTCOMES[job.get('state')!] === undefined) return;
    const batch = batches.of(String(job.id));
    if (batch === null) announceOne(job);
    else announceBatch(batch);
  });
  listener.listenTo(batches, 'add', announceBatch);
  listener.listenTo(jobs, 'loaded', () => {
    loaded = true;
  });
  return () => listener.stopListening();
}
