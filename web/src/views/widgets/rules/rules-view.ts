import { html, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { Delivery, RuleDraft, RuleEvent } from '../../../../../common/model/rule.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { conditionText, type RuleModel } from '../../../models/rules.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { DestinationsPanel } from './destinations-panel.ts';
import { draftOf, filterText } from './draft-text.ts';
import { deliveryRows, eventRows, groupText, muteMark, ruleMark, timeMark } from './rule-marks.ts';

export interface RulesViewOptions extends ViewOptions {
  deps: PageDeps;
  tab: string;
}

const TABS = [
  ['rules', 'Rules'],
  ['history', 'History'],
  ['destinations', 'Destinations'],
  ['deliveries', 'Deliveries'],
] as const;
const GROUPS_SHOWN = 4;
const HISTORY_FIRST = 100;
/** The most that one call answers. */
const HISTORY_MOST = 500;

/** The page of rules: the list, what happened, where it is told, and what came of that. */
export class RulesView extends View<RulesViewOptions> {
  declare tab: string;
  declare history: RuleEvent[] | null;
  declare historyLimit: number;
  declare deliveries: Delivery[] | null;
  declare fault: string | null;
  declare watching: { close(): void } | null;
  declare panel: DestinationsPanel;

  override preinitialize(options: RulesViewOptions): void {
    super.preinitialize(options);
    this.tab = '';
    this.history = null;
    this.historyLimit = HISTORY_FIRST;
    this.deliveries = null;
    this.fault = null;
    this.watching = null;
  }

  override initialize(): void {
    const { deps } = this.options;
    this.panel = new DestinationsPanel({ parent: this, deps });
    this.listenTo(deps.models.rules, 'update change loaded', this.redraw);
    this.listenTo(deps.models.instances, 'update change:name', this.redraw);
    this.cleanup(() => this.watching?.close());
    this.show(this.options.tab);
  }

  show(tab: string): void {
    const known = TABS.some(([name]) => name === tab) ? tab : 'rules';
    if (known === this.tab) return;
    this.tab = known;
    this.watching?.close();
    this.watching = null;
    const { rules } = this.options.deps;
    if (known === 'history')
      this.watching = rules.watchEvents(null, this.historyLimit, (events) => {
        this.history = events;
        this.redraw();
      });
    if (known === 'deliveries')
      this.watching = rules.watchDeliveries((deliveries) => {
        this.deliveries = deliveries;
        this.redraw();
      });
    this.redraw();
  }

  override template(): TemplateResult {
    return html`<div class="page-title"><h1>Rules</h1>
        <div class="title-end"><a class="btn btn-accent" href="#/rules/new" title="New rule (n)">${icon('plus')} New rule</a></div></div>
      <nav class="rule-tabs" aria-label="Parts of this page">${TABS.map(
        ([name, label]) =>
          html`<a href=${name === 'rules' ? '#/rules' : `#/rules?tab=${name}`} aria-current=${this.tab === name ? 'page' : 'false'}>${label}</a>`,
      )}</nav>
      ${this.fault === null ? null : html`<p class="form-error" role="alert">${visibleText(this.fault)}</p>`}
      ${this.body()}`;
  }

  body(): TemplateResult {
    const { deps } = this.options;
    if (this.tab === 'destinations') return html`${this.panel.draw().el}`;
    if (this.tab === 'history') {
      if (this.history === null) return waiting();
      if (this.history.length > 0)
        return html`${eventRows(this.history, deps, { withRule: true })}${
          this.history.length === this.historyLimit && this.historyLimit < HISTORY_MOST
            ? html`<p><button type="button" class="btn btn-quiet" data-older @click=${() => this.older()}>Older</button></p>`
            : null
        }`;
      return html`<div class="empty"><h2>Nothing has happened yet</h2><p>Here stands what rules fired for, what they held back and when it was over.</p></div>`;
    }
    if (this.tab === 'deliveries') {
      if (this.deliveries === null) return waiting();
      if (this.deliveries.length > 0) return deliveryRows(this.deliveries, deps.nowMs());
      return html`<div class="empty"><h2>Nobody was told anything yet</h2><p>When a rule with destinations fires, each message stands here with its tries and what came of them.</p></div>`;
    }
    const { models } = deps.models.rules;
    if (models.length === 0)
      return html`<div class="empty"><h2>No rule yet</h2><p>A rule is a filter and a number: so many lines within a time, or none for so long. Make one here, or open a line of the stream and press “Make a rule”.</p><a class="btn btn-accent" href="#/rules/new">New rule</a></div>`;
    return html`<div class="rule-list" role="list">${repeat(
      models,
      (rule) => rule.id,
      (rule) => this.row(rule),
    )}</div>`;
  }

  /** Asks for more of the history. */
  older(): void {
    this.historyLimit = HISTORY_MOST;
    this.tab = '';
    this.show('history');
  }

  row(rule: RuleModel): TemplateResult {
    const { deps } = this.options;
    const {
      name,
      state,
      severity,
      condition,
      groupBy,
      firing,
      lastFiredMs,
      enabled,
      query,
      destinations,
      mutedUntilMs,
    } = rule.attributes as Required<typeof rule.attributes>;
    const shown = firing.slice(0, GROUPS_SHOWN).map(({ group }) => groupText(deps, groupBy, group));
    return html`<div class="rule-row is-${state}" role="listitem">
      <label class="rule-switch" title=${enabled ? 'Switch off' : 'Switch on'}><input type="checkbox" role="switch" .checked=${enabled} aria-label="${visibleText(name)} is on"
        @change=${(event: Event) => void this.toggle(rule, (event.target as HTMLInputElement).checked)} /><i aria-hidden="true"></i></label>
      <span class="rule-state">${ruleMark({ state, severity })}</span>
      <span class="rule-main"><span><a class="rule-name" href="#/rules/${rule.id}">${visibleText(name)}</a> ${muteMark(mutedUntilMs, deps.nowMs())}</span>
        <span class="rule-words">${filterText(query) === '' ? 'all lines' : html`<code>${visibleText(filterText(query))}</code>`}: ${conditionText(condition, groupBy)}</span>
        ${shown.length === 0 ? null : html`<span class="rule-groups">${shown.map((group) => html`<b>${group}</b>`)}${firing.length > GROUPS_SHOWN ? html`<span class="dim">and ${firing.length - GROUPS_SHOWN} more</span>` : null}</span>`}</span>
      <span class="rule-last">${lastFiredMs === null ? html`<span class="dim">never fired</span>` : html`<span><span class="dim">fired</span> ${timeMark(lastFiredMs, deps.nowMs())}</span>`}
        <small class="dim">${severity}, ${destinations.length === 0 ? 'tells nobody' : `tells ${plural(destinations.length, 'destination')}`}</small></span>
    </div>`;
  }

  async toggle(rule: RuleModel, enabled: boolean): Promise<void> {
    this.fault = null;
    try {
      const draft: RuleDraft = { ...draftOf(rule), enabled };
      await this.options.deps.rules.save(String(rule.id), draft);
    } catch (error) {
      this.fault = `${rule.get('name')}: ${(error as Error).message}`;
    }
    this.redraw();
  }
}

function waiting(): TemplateResult {
  return html`<div class="empty"><span class="spinner"></span></div>`;
}
