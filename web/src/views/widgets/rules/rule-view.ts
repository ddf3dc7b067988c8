import { html, type TemplateResult } from 'lit-html';
import type { Destination, RuleDraft, RuleEvent } from '../../../../../common/model/rule.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { EMPTY_DRAFT, type RuleModel, type RulePreview, ruleDraftFromLine } from '../../../models/rules.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { draftOf } from './draft-text.ts';
import { muteButton } from './mute-button.ts';
import { previewFigure } from './preview-figure.ts';
import { ruleForm } from './rule-form.ts';
import { eventRows, groupText, muteMark, ruleMark, timeMark } from './rule-marks.ts';

export interface RuleViewOptions extends ViewOptions {
  deps: PageDeps;
  /** Null: a new rule. */
  rule: string | null;
  /** Id of the line that it is made from. */
  line: string | null;
}

/** After the last key so long passes before the store is asked. */
const PREVIEW_AFTER_MS = 350;
const HISTORY_SHOWN = 50;

/** The editor of one rule with its live preview, what fires now, and its history. */
export class RuleView extends View<RuleViewOptions> {
  declare draft: RuleDraft | null;
  declare changed: boolean;
  declare destinations: Destination[];
  declare history: RuleEvent[];
  declare preview: RulePreview | null;
  declare previewing: number;
  declare timer: ReturnType<typeof setTimeout> | undefined;
  declare queryFault: string | null;
  declare fault: string | null;
  declare saving: boolean;
  /** Remove was pressed once. */
  declare isSure: boolean;
  /** The rules are here: one that is not among them is gone, or never was. */
  declare listed: boolean;

  override preinitialize(options: RuleViewOptions): void {
    super.preinitialize(options);
    this.draft = null;
    this.changed = false;
    this.destinations = [];
    this.history = [];
    this.preview = null;
    this.previewing = 0;
    this.queryFault = null;
    this.fault = null;
    this.saving = false;
    this.isSure = false;
    this.listed = false;
  }

  override initialize(): void {
    const { deps, rule: id, line } = this.options;
    const destinations = deps.rules.watchDestinations((list) => {
      this.destinations = list;
      this.redraw();
    });
    this.cleanup(() => destinations.close());
    this.cleanup(() => clearTimeout(this.timer));
    this.listenTo(deps.models.hosts, 'update', this.redraw);
    if (id !== null) {
      const events = deps.rules.watchEvents(id, HISTORY_SHOWN, (list) => {
        this.history = list;
        this.redraw();
      });
      this.cleanup(() => events.close());
      this.listenTo(deps.models.rules, 'update change loaded', () => this.take());
      this.listenToOnce(deps.models.rules, 'loaded', () => {
        this.listed = true;
      });
      this.listed = deps.models.rules.length > 0;
      this.take();
    } else if (line === null) this.begin(structuredClone(EMPTY_DRAFT));
    else
      void deps.rules.line(line).then(
        (found) => this.begin(ruleDraftFromLine(found)),
        (error: Error) => {
          this.fault = `The line could not be read: ${error.message}`;
          this.begin(structuredClone(EMPTY_DRAFT));
        },
      );
  }

  get rule(): RuleModel | undefined {
    const { deps, rule: id } = this.options;
    return id === null ? undefined : deps.models.rules.get(id);
  }

  /** The rule as it is kept, until somebody begins to change it here. */
  take(): void {
    const { rule } = this;
    if (rule !== undefined && !this.changed) {
      const draft = draftOf(rule);
      if (JSON.stringify(draft) !== JSON.stringify(this.draft)) this.begin(draft);
    }
    this.redraw();
  }

  begin(draft: RuleDraft): void {
    if (this.destroyed) return;
    this.draft = draft;
    this.redraw();
    this.look(0);
  }

  change(next: Partial<RuleDraft>): void {
    this.draft = { ...this.draft!, ...next };
    this.changed = true;
    this.redraw();
    if ('query' in next || 'condition' in next || 'groupBy' in next || 'quietMs' in next) this.look(PREVIEW_AFTER_MS);
  }

  look(afterMs: number): void {
    clearTimeout(this.timer);
    this.previewing += 1;
    const number = this.previewing;
    this.timer = setTimeout(() => void this.askPreview(number), afterMs);
  }

  async askPreview(number: number): Promise<void> {
    const draft = { ...this.draft!, name: this.draft!.name.trim() || 'draft' };
    try {
      const preview = await this.options.deps.rules.preview(draft);
      if (number !== this.previewing) return;
      this.preview = preview;
      this.queryFault = null;
    } catch (error) {
      if (number !== this.previewing) return;
      this.preview = null;
      this.queryFault = (error as Error).message;
    }
    this.redraw();
  }

  async save(): Promise<void> {
    const { deps, rule: id } = this.options;
    if (this.saving || this.draft === null) return;
    this.saving = true;
    this.fault = null;
    this.redraw();
    try {
      const kept = await deps.rules.save(id, this.draft);
      this.changed = false;
      if (id === null) deps.go(`/rules/${kept.id}`, true);
    } catch (error) {
      this.fault = (error as Error).message;
    }
    this.saving = false;
    this.redraw();
  }

  async mute(forMs: number): Promise<void> {
    this.fault = null;
    try {
      await this.options.deps.rules.mute(this.options.rule!, forMs);
    } catch (error) {
      this.fault = (error as Error).message;
    }
    this.redraw();
  }

  /** At the second press: a rule is gone for good. */
  async removeRule(): Promise<void> {
    const { deps, rule: id } = this.options;
    if (!this.isSure) {
      this.isSure = true;
      return void this.redraw();
    }
    try {
      await deps.rules.remove(id!);
      deps.go('/rules');
    } catch (error) {
      this.fault = (error as Error).message;
      this.redraw();
    }
  }

  override template(): TemplateResult {
    const { deps, rule: id } = this.options;
    const { rule, draft } = this;
    const crumbs = html`<nav class="crumbs" aria-label="Path"><a href="#/rules">Rules</a></nav>`;
    if (draft === null && id !== null && this.listed)
      return html`${crumbs}<div class="empty"><h2>There is no such rule</h2><p>It may have been removed; what it did stands in the history of all rules.</p><a class="btn btn-quiet" href="#/rules?tab=history">To the history</a></div>`;
    if (draft === null)
      return html`${crumbs}<div class="page-title"><h1>${id === null ? 'New rule' : 'Rule'}</h1></div><div class="empty"><span class="spinner"></span></div>`;
    const title = rule === undefined ? 'New rule' : visibleText(rule.get('name')!);
    const mark =
      rule === undefined
        ? null
        : html`${ruleMark(rule.attributes as Parameters<typeof ruleMark>[0])} ${muteMark(rule.get('mutedUntilMs') ?? null, deps.nowMs())}`;
    const name = (group: string | null) => groupText(deps, draft.groupBy, group);
    return html`${crumbs}
      <div class="page-title"><h1>${title}</h1>${mark}
        <div class="title-end buttons">${
          rule === undefined
            ? null
            : html`${muteButton(rule, deps.nowMs(), this, (forMs) => void this.mute(forMs))}<button type="button" class="btn btn-danger-quiet" data-remove @click=${() => void this.removeRule()} @blur=${() => {
                this.isSure = false;
                this.redraw();
              }}>${icon('bin')} ${this.isSure ? 'Remove it for good' : 'Remove'}</button>`
        }</div></div>
      ${this.firing(rule)}
      <form class="rule-editor" @submit=${(event: Event) => {
        event.preventDefault();
        void this.save();
      }}>
        <div class="rule-form">${ruleForm({ deps, draft, destinations: this.destinations, queryFault: this.queryFault, change: (next) => this.change(next) })}
          ${this.fault === null ? null : html`<p class="form-error" role="alert">${visibleText(this.fault)}</p>`}
          <div class="rule-save"><button type="submit" class="btn btn-accent" data-submit ?disabled=${this.saving || draft.name.trim() === '' || this.queryFault !== null || (id !== null && !this.changed)}>${id === null ? 'Make the rule' : 'Save'}</button>
            ${
              id !== null && this.changed
                ? html`<button type="button" class="btn btn-quiet" @click=${() => {
                    this.changed = false;
                    this.take();
                  }}>Discard</button>`
                : null
            }</div></div>
        <aside class="rule-side" aria-label="Preview" aria-live="polite">${this.preview === null ? html`<p class="dim">${this.queryFault === null ? 'Looking at the last day…' : 'No preview: the filter cannot be read.'}</p>` : previewFigure(this.preview, name)}</aside>
      </form>
      ${id === null ? null : html`<h2 class="rule-h2">History</h2>${this.history.length === 0 ? html`<p class="dim">It has not fired yet.</p>` : eventRows(this.history, deps, { withRule: false })}`}`;
  }

  firing(rule: RuleModel | undefined): TemplateResult | null {
    const firing = rule?.get('firing') ?? [];
    if (rule === undefined || firing.length === 0) return null;
    const { deps } = this.options;
    const groupBy = rule.get('groupBy') ?? null;
    return html`<ul class="rule-firing" aria-label="Fires now">${firing
      .slice(0, 50)
      .map(
        ({ group, sinceMs, count, line }) =>
          html`<li><b>${groupText(deps, groupBy, group)}</b> <span class="dim">since</span> ${timeMark(sinceMs, deps.nowMs())} ${count > 0 ? html`<span class="dim">${plural(count, 'line')}</span>` : null} ${line === null ? null : html`<a href="#/lines/${encodeURIComponent(line)}">newest line</a>`}</li>`,
      )}</ul>`;
  }
}
