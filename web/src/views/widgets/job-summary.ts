import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { durationText, spanText, utcText } from '../../dom/format.ts';
import { errorHint } from '../../models/error-hints.ts';
import { jobTitle } from '../../models/notices.ts';
import type { JobModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { meter, stateMark } from './marks.ts';

/** Title, progress, times, outcome and advice of a job; used by the drawer and by the page of a job. */
export function jobSummary(job: JobModel, deps: Pick<PageDeps, 'nowMs'>): TemplateResult {
  const { state, progress, startedMs, endedMs, createdMs, actor, error, result } = job.attributes;
  const look = state === 'running' ? 'job-running' : state!;
  const began = startedMs ?? createdMs!;
  const took = endedMs ? `took ${durationText(endedMs - began)}` : `for ${spanText(deps.nowMs() - began)}`;
  const hint = error ? errorHint(error.code) : null;
  return html`<div class="job-head">${stateMark(state!, null, look)}<b>${visibleText(jobTitle(job))}</b></div>
    <div class="dim" title=${utcText(createdMs!)}>${state === 'unknown' ? 'outcome unknown' : state}, ${took}, by ${visibleText(actor!)}, ${spanText(deps.nowMs() - createdMs!)} ago</div>
    ${state === 'running' && progress !== null ? meter(progress!, 'Progress') : null}
    ${state === 'running' ? progressNumbers(result ?? {}) : null}
    ${error ? html`<p class="job-error"><b>${visibleText(error.message)}</b> ${hint ?? ''} <code>${error.code}</code></p>` : null}`;
}

/** Numbers a running job tells of itself (bytes, rate, rounds, time left), as it names them. */
function progressNumbers(result: Record<string, unknown>): TemplateResult | null {
  const known = Object.entries(result).filter(([, value]) => typeof value === 'number' || typeof value === 'string');
  if (known.length === 0) return null;
  return html`<div class="job-numbers">${known.slice(0, 6).map(([name, value]) => html`<span>${visibleText(name)} <b>${visibleText(String(value))}</b></span>`)}</div>`;
}
