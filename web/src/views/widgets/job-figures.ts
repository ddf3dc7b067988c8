import { html, type TemplateResult } from 'lit-html';
import type { JobDetail } from '../../../../common/model/job.ts';
import type { MigrationResult } from '../../../../common/model/migration.ts';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { bytesText, countText, durationText } from '../../dom/format.ts';
import { timeLeftMs } from '../../models/move-figures.ts';

type Figure = [label: string, value: string, note?: string];

/** The time left in words; a guest that writes faster than it is copied has none. */
export function leftText(detail: JobDetail): string {
  const ms = timeLeftMs(detail);
  if (ms === null) return '–';
  if (!Number.isFinite(ms)) return 'does not converge';
  return ms < 1_000 ? 'under 1 s' : durationText(ms);
}

/** The numbers of a running job in one line, for lists. Null when it tells none. */
export function detailLine(detail: JobDetail): TemplateResult {
  const parts: [string, string][] = [];
  if (detail.remainingBytes !== undefined) parts.push([bytesText(detail.remainingBytes), 'left']);
  if (detail.rateBps !== undefined) parts.push([`${bytesText(detail.rateBps)}/s`, '']);
  if (detail.dirtyRateBps !== undefined && detail.dirtyRateBps > 0)
    parts.push([`${bytesText(detail.dirtyRateBps)}/s`, 'dirtied']);
  if (detail.rounds !== undefined) parts.push([countText(detail.rounds), detail.rounds === 1 ? 'round' : 'rounds']);
  if (timeLeftMs(detail) !== null) parts.push([leftText(detail), Number.isFinite(timeLeftMs(detail)) ? 'to go' : '']);
  return html`<div class="job-numbers"><span class="job-phase">${visibleText(detail.phase)}</span>${parts.map(([value, word]) => html`<span><b>${value}</b> ${word}</span>`)}</div>`;
}

/** Large numbers of a copy that is under way. Those not told yet keep their places. */
export function runningFigures(detail: JobDetail, elapsedMs: number): TemplateResult {
  const bytes = (value: number | undefined) => (value === undefined ? '–' : bytesText(value));
  const rate = (value: number | undefined) =>
    value === undefined || (value === 0 && (detail.rounds ?? 0) <= 1) ? '–' : `${bytesText(value)}/s`;
  const limit = detail.downtimeLimitMs === undefined ? undefined : `limit ${durationText(detail.downtimeLimitMs)}`;
  return figures([
    ['Remaining', bytes(detail.remainingBytes), detail.totalBytes ? `of ${bytesText(detail.totalBytes)}` : undefined],
    ['Rate', rate(detail.rateBps)],
    ['Dirty rate', rate(detail.dirtyRateBps), 'changed by the guest'],
    ['Rounds', detail.rounds === undefined ? '–' : countText(detail.rounds)],
    ['Time left', leftText(detail)],
    ['Elapsed', durationText(elapsedMs)],
    ['Downtime', detail.expectedDowntimeMs === undefined ? '–' : `≈ ${durationText(detail.expectedDowntimeMs)}`, limit],
  ]);
}

/** What a finished move cost, as it was measured. */
export function movedFigures(result: MigrationResult): TemplateResult {
  const { downtimeMs, totalMs, memoryBytes, transferredBytes, rounds } = result;
  if (downtimeMs === null && transferredBytes === null)
    return figures([['Total', durationText(totalMs), 'only its definition moved']]);
  const meanBps = transferredBytes !== null && totalMs > 0 ? transferredBytes / (totalMs / 1_000) : null;
  return figures([
    [
      'Downtime',
      downtimeMs === null ? '–' : durationText(downtimeMs),
      downtimeMs === null ? 'not measured' : 'measured',
    ],
    ['Total', durationText(totalMs)],
    [
      'Copied',
      transferredBytes === null ? '–' : bytesText(transferredBytes),
      memoryBytes === null ? undefined : `of ${bytesText(memoryBytes)} memory`,
    ],
    ['Mean rate', meanBps === null ? '–' : `${bytesText(meanBps)}/s`],
    ['Rounds', rounds === null ? '–' : countText(rounds)],
  ]);
}

function figures(list: (Figure | [string, string, string | undefined])[]): TemplateResult {
  return html`<dl class="job-figures">${list.map(
    ([label, value, note]) => html`<div><dt>${label}</dt><dd>${value}<small>${note ?? ''}</small></dd></div>`,
  )}</dl>`;
}
