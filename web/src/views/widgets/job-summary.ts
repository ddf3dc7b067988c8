import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { durationText, spanText, utcText } from '../../dom/format.ts';
import { errorHint } from '../../models/error-hints.ts';
import { moveResult } from '../../models/move-figures.ts';
import { jobTitle } from '../../models/notices.ts';
import type { JobModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { detailLine } from './job-figures.ts';
import { meter, stateMark } from './marks.ts';

/** Title, progress, times, outcome and advice of a job, for the drawer and the list of jobs. */
export function jobSummary(job: JobModel, deps: Pick<PageDeps, 'nowMs'>): TemplateResult {
  const { state, progress, detail, verb, result } = job.attributes;
  const moved = state === 'done' ? moveResult(verb!, result ?? null) : null;
  return html`<div class="job-head">${jobMark(job)}<b>${visibleText(jobTitle(job))}</b></div>
    ${jobTimes(job, deps)}
    ${state === 'running' && typeof progress === 'number' ? meter(progress, 'Progress') : null}
    ${state === 'running' && detail ? detailLine(detail) : null}
    ${moved && moved.downtimeMs !== null ? html`<div class="job-numbers"><span>downtime <b>${durationText(moved.downtimeMs)}</b></span></div>` : null}
    ${jobError(job)}`;
}

/** The state of a job as a shape. */
export function jobMark(job: JobModel, word: string | null = null): TemplateResult {
  const state = job.get('state')!;
  return stateMark(state, word, state === 'running' ? 'job-running' : state);
}

/** State, length, who and when, in one line. */
export function jobTimes(job: JobModel, deps: Pick<PageDeps, 'nowMs'>): TemplateResult {
  const { state, startedMs, endedMs, createdMs, actor } = job.attributes;
  const began = startedMs ?? createdMs!;
  const took = endedMs ? `took ${durationText(endedMs - began)}` : `for ${spanText(deps.nowMs() - began)}`;
  return html`<div class="dim" title=${utcText(createdMs!)}>${state === 'unknown' ? 'outcome unknown' : state}, ${took}, by ${visibleText(actor!)}${endedMs ? `, ${spanText(deps.nowMs() - createdMs!)} ago` : ''}</div>`;
}

/** What went wrong and what to try; null when nothing did. */
export function jobError(job: JobModel, advice: string | null = null): TemplateResult | null {
  const error = job.get('error');
  if (!error) return null;
  const hints = [errorHint(error.code), advice].filter(Boolean).join(' ');
  const calm = job.get('state') === 'cancelled' ? 'is-calm' : '';
  return html`<p class="job-error ${calm}"><b>${visibleText(error.message)}</b> ${hints} <code>${error.code}</code></p>`;
}
