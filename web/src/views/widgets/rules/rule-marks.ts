import { html, type TemplateResult } from 'lit-html';
import type { Delivery, Rule, RuleEvent } from '../../../../../common/model/rule.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { clockText, countText, dayTimeText, plural, utcText } from '../../../dom/format.ts';
import type { PageDeps } from '../../../models/page-deps.ts';

const STATES: Record<Rule['state'], string> = { ok: 'ok', firing: 'fires', off: 'off' };

/** State of a rule, in words and colour. */
export function ruleMark({ state, severity }: Pick<Rule, 'state' | 'severity'>): TemplateResult {
  return html`<span class="rule-mark is-${state} is-${severity}"><i aria-hidden="true"></i>${STATES[state]}</span>`;
}

/** That nobody is told, and until when; nothing where somebody is. */
export function muteMark(mutedUntilMs: number | null, nowMs: number): TemplateResult | null {
  if (mutedUntilMs === null || mutedUntilMs <= nowMs) return null;
  return html`<span class="tag rule-muted">muted until ${timeMark(mutedUntilMs, nowMs)}</span>`;
}

/** A group for people: the name of an instance instead of its id. */
export function groupText(deps: Pick<PageDeps, 'models'>, groupBy: string | null, group: string | null): string {
  if (group === null) return 'all lines';
  if (group === '') return '(none)';
  const instance = groupBy === 'instance' ? deps.models.instances.get(group) : undefined;
  return visibleText(instance?.get('name') ?? group);
}

/** A time: the clock of today, the day of another; UTC when pointed at. */
export function timeMark(tsMs: number, nowMs: number): TemplateResult {
  const isToday = new Date(tsMs).toDateString() === new Date(nowMs).toDateString();
  return html`<time title=${utcText(tsMs)}>${isToday ? clockText(tsMs).slice(0, 8) : dayTimeText(tsMs).slice(0, 16)}</time>`;
}

const WHATS: Record<RuleEvent['what'], string> = { fired: 'fired', ended: 'is over', 'held-quiet': 'held back' };

/** The history: what happened, to which group, with the way to the line. */
export function eventRows(
  events: readonly RuleEvent[],
  deps: Pick<PageDeps, 'models' | 'nowMs'>,
  { withRule }: { withRule: boolean },
): TemplateResult {
  return html`<ul class="rule-events">${events.map((event) => {
    const groupBy = deps.models.rules.get(event.rule)?.get('groupBy') ?? null;
    const groups = event.group === null ? '' : groupText(deps, groupBy, event.group);
    return html`<li class="is-${event.what}">
      ${timeMark(event.tsMs, deps.nowMs())}
      <span class="rule-what">${WHATS[event.what]}</span>
      <span class="rule-about">${withRule ? html`<a href="#/rules/${event.rule}">${visibleText(event.ruleName)}</a> ` : null}${groups === '' ? null : html`<b>${groups}</b>`}
        ${event.count > 1 ? html`<span class="dim">${plural(event.count, 'line')}</span>` : null}
        ${event.message === null ? null : html`<span class="rule-said">${visibleText(event.message)}</span>`}</span>
      ${event.line === null ? null : html`<a class="rule-line" href="#/lines/${encodeURIComponent(event.line)}">line</a>`}
    </li>`;
  })}</ul>`;
}

/** Deliveries with why they wait or failed. */
export function deliveryRows(deliveries: readonly Delivery[], nowMs: number): TemplateResult {
  return html`<ul class="rule-events">${deliveries.map(
    (one) => html`<li class="is-${one.state}">
      ${timeMark(one.createdMs, nowMs)}
      <span class="rule-what">${one.state}</span>
      <span class="rule-about"><a href="#/rules/${one.rule}">${visibleText(one.ruleName)}</a>${one.otherRules > 0 ? html` <span class="dim">and ${plural(one.otherRules, 'other rule')}</span>` : null}
        ${one.events > 1 ? html`<span class="tag">${countText(one.events)} events</span>` : null} <span class="dim">to</span> <b>${visibleText(one.destinationName)}</b>
        ${one.tries > 1 ? html`<span class="dim">${plural(one.tries, 'try', 'tries')}</span>` : null}
        ${one.error === null ? null : html`<span class="rule-said">${visibleText(one.error)}</span>`}
        ${one.nextTryMs === null || one.tries === 0 ? null : html`<span class="dim">again at ${timeMark(one.nextTryMs, nowMs)}</span>`}</span>
    </li>`,
  )}</ul>`;
}
