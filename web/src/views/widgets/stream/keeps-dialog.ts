import { html, type TemplateResult } from 'lit-html';
import type { KeepMark } from '../../../../../common/model/search.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { dayTimeText, plural, spanText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { formatLogParams, type LogParams } from '../../../models/log-filter.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import type { Counted } from '../../../models/stored-lines.ts';
import { AskingDialog } from '../../base/asking-dialog.ts';
import type { ViewOptions } from '../../base/view.ts';
import { unreadableText } from '../unreadable-text.ts';

export interface KeepsDialogOptions extends ViewOptions {
  deps: Pick<PageDeps, 'nowMs' | 'stored'>;
  /** The range of these is offered to be kept. */
  params: Pick<LogParams, 'fromMs' | 'toMs'>;
}

const HOUR_MS = 3_600_000;

/** Times whose lines are kept whatever their age: to mark one, to look at one, to let one go. */
export class KeepsDialog extends AskingDialog<KeepsDialogOptions> {
  /** Null until they are here. */
  declare marks: KeepMark[] | null;
  declare counts: Map<string, Counted>;
  declare range: { fromMs: number; toMs: number };

  override preinitialize(options: KeepsDialogOptions): void {
    super.preinitialize(options);
    this.className = 'dialog keeps-dialog';
    this.marks = null;
    this.counts = new Map();
    const toMs = options.params.toMs ?? options.deps.nowMs();
    this.range = { fromMs: options.params.fromMs ?? toMs - HOUR_MS, toMs };
  }

  override initialize(): void {
    void this.load();
  }

  async load(): Promise<void> {
    const { stored } = this.options.deps;
    await this.run(async () => {
      this.marks = await stored.keeps();
    });
    for (const { id, fromMs, toMs } of this.marks ?? []) {
      if (this.counts.has(id)) continue;
      const found = await stored.count({ fromMs, toMs }).catch(() => null);
      if (this.destroyed) return;
      if (found !== null) this.counts.set(id, found);
      this.draw();
    }
  }

  override template(): TemplateResult {
    const { fromMs, toMs } = this.range;
    return html`<header><h2 id="dialog-title">Kept times</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      <p class="dim">Lines of these times are not deleted when they become old: those of an incident, until it is understood.</p>
      ${this.list()}
      <form class="search-save" @submit=${(event: SubmitEvent) => void this.keep(event)}>
        <h3>Keep a time</h3>
        <div class="keep-range">
          <label>from <input class="form-control" type="datetime-local" step="1" name="from" required .value=${inputTime(fromMs)} /></label>
          <label>to <input class="form-control" type="datetime-local" step="1" name="to" required .value=${inputTime(toMs)} /></label></div>
        <div class="search-fields"><input class="form-control" data-first name="note" maxlength="500" placeholder="Why, for the others" aria-label="Why it is kept" autocomplete="off" />
          <button class="btn btn-accent" ?disabled=${this.busy}>Keep</button></div>
        ${this.error === '' ? null : html`<p class="form-error" role="alert">${visibleText(this.error)}</p>`}
      </form>`;
  }

  list(): TemplateResult {
    if (this.marks === null) return html`<p>${this.busy ? html`<span class="spinner"></span>` : null}</p>`;
    if (this.marks.length === 0) return html`<p class="empty-hint">Nothing is kept beyond its age yet.</p>`;
    return html`<ul class="search-list">${this.marks.map((mark) => this.mark(mark))}</ul>`;
  }

  mark({ id, fromMs, toMs, note, owner }: KeepMark): TemplateResult {
    const counted = this.counts.get(id);
    const lost = unreadableText(counted?.unreadable ?? []);
    const name = note === '' ? `${dayTimeText(fromMs)}, ${spanText(toMs - fromMs)}` : note;
    return html`<li><a href="#/live?${formatLogParams({ fromMs, toMs })}" @click=${() => this.close()}><b>${visibleText(name)}</b>
        <span class="search-note">${dayTimeText(fromMs)} – ${dayTimeText(toMs)}${counted === undefined ? '' : `, ${plural(counted.count, 'line')}`}, by ${visibleText(owner)}</span>${lost === '' ? null : html`<span class="search-note is-lost">${lost}</span>`}</a>
      <button type="button" class="btn btn-icon btn-sm" title="Let go" aria-label="Let go ${visibleText(name)}" ?disabled=${this.busy} @click=${() => void this.letGo(id)}>${icon('bin')}</button></li>`;
  }

  async keep(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const given = new FormData(form);
    const [fromMs, toMs] = [Date.parse(String(given.get('from'))), Date.parse(String(given.get('to')))];
    if (!(toMs > fromMs)) {
      this.error = 'The end must lie behind the beginning.';
      this.draw();
      return;
    }
    // The fields show whole seconds: the last one is kept to its end.
    const draft = { fromMs, toMs: toMs + 1_000, note: String(given.get('note')).trim() };
    this.range = { fromMs, toMs };
    if (await this.run(() => this.options.deps.stored.keep(draft))) {
      (form.elements.namedItem('note') as HTMLInputElement).value = '';
      await this.load();
    }
  }

  async letGo(id: string): Promise<void> {
    if (await this.run(() => this.options.deps.stored.removeKeep(id))) await this.load();
  }
}

/** Local time as the fields of a form take it. */
function inputTime(ms: number): string {
  return dayTimeText(ms).slice(0, 19).replace(' ', 'T');
}
