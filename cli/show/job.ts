import type { Job, JobDetail } from '../../common/model/job.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { percent, seconds, size } from './values.ts';

const amount = (value: number | undefined, text: (value: number) => string) =>
  value === undefined ? [] : [text(value)];

/** How far a running job is, in one line of numbers that mean something. */
export function progressText(job: Job): string {
  const detail: Partial<JobDetail> = job.detail ?? {};
  const parts = [
    visibleText(detail.phase ?? (job.state === 'planned' ? 'waits' : 'runs')),
    ...(job.progress === null ? [] : [percent(job.progress)]),
    ...amount(detail.remainingBytes, (bytes) => {
      return detail.totalBytes === undefined
        ? `${size(bytes)} left`
        : `${size(bytes)} of ${size(detail.totalBytes)} left`;
    }),
    ...amount(detail.rateBps, (rate) => `${size(rate)}/s`),
    ...amount(detail.dirtyRateBps, (rate) => `changes ${size(rate)}/s`),
    ...amount(detail.rounds, (rounds) => `round ${rounds}`),
    ...amount(detail.expectedDowntimeMs, (ms) => `would stand still ${Math.round(ms)} ms`),
    ...amount(detail.downtimeLimitMs, (ms) => `limit ${Math.round(ms)} ms`),
    ...amount(detail.elapsedMs, seconds),
  ];
  return `${job.verb} ${visibleText(job.instanceName ?? '')}: ${parts.join(' · ')}`;
}

/** What a move came to: the numbers of its result, those that are known. */
export function migrationText(result: Record<string, unknown>): string {
  const number = (key: string) => (typeof result[key] === 'number' ? (result[key] as number) : undefined);
  return [
    ...amount(number('downtimeMs'), (ms) => `stood still ${Math.round(ms)} ms`),
    ...amount(number('totalMs'), (ms) => `moved in ${seconds(ms)}`),
    ...amount(number('transferredBytes'), (bytes) => `${size(bytes)} sent`),
    ...amount(number('rounds'), (rounds) => `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`),
  ].join(', ');
}

/** How a job ended, for people; `more` stands behind a good end. */
export function outcomeText(job: Job, more = ''): string {
  const what = `${job.verb} ${visibleText(job.instanceName ?? job.instance ?? job.hostName ?? '')}`.trim();
  if (job.state === 'done') {
    const took = job.endedMs === null ? '' : ` in ${seconds(job.endedMs - (job.startedMs ?? job.createdMs), 2)}`;
    const note = typeof job.result?.['note'] === 'string' ? ` ${visibleText(job.result['note'])}` : '';
    return `${what}: done${took}${more === '' ? '' : `; ${more}`}${note}`;
  }
  return `${what}: ${job.state}. ${visibleText(job.error?.message ?? '')} (webvirt logs --job ${job.id})`;
}
