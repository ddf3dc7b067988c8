import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { LEVELS } from '../../../../../common/model/words.ts';
import { icon } from '../../../dom/icons.ts';
import { formatLogParams, type LogParams, withTerm } from '../../../models/log-filter.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { streamError } from '../query-error.ts';

export interface SplitBarOptions extends ViewOptions {
  params: LogParams;
  onChange: (query: string | null) => void;
}

const SETTLE_MS = 500;

/** The filter of the second stream: words and level. */
export class SplitBar extends View<SplitBarOptions> {
  declare settle: ReturnType<typeof setTimeout> | undefined;
  declare error: { code: string; message: string } | null;
  declare typed: string;

  override preinitialize(options: SplitBarOptions): void {
    super.preinitialize(options);
    this.className = 'split-bar';
    this.error = null;
    this.typed = options.params.q ?? '';
    this.cleanup(() => clearTimeout(this.settle));
  }

  fail(error: { code: string; message: string } | null): void {
    this.error = error;
    this.redraw();
  }

  set(change: Partial<LogParams>): void {
    clearTimeout(this.settle);
    const next = { ...this.options.params, q: this.typed.trim(), ...change };
    this.options.onChange(formatLogParams(next));
  }

  /** What is being typed, and where: for the bar that follows this one. Null while the field has no focus. */
  typing(): { text: string; at: number } | null {
    const field = this.el.querySelector<HTMLInputElement>('.split-input');
    return field === null || field !== document.activeElement
      ? null
      : { text: this.typed, at: field.selectionStart ?? this.typed.length };
  }

  settleSoon(): void {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.set({}), SETTLE_MS);
  }

  /** Goes on with what was being typed. */
  goOn({ text, at }: { text: string; at: number }): void {
    this.typed = text;
    // Keys that came while the stream of the earlier ones was made.
    if (text.trim() !== (this.options.params.q ?? '')) this.settleSoon();
    this.draw();
    const field = this.el.querySelector<HTMLInputElement>('.split-input')!;
    field.focus();
    field.setSelectionRange(at, at);
  }

  add(field: string, value: string, exclude: boolean): void {
    this.set({ q: withTerm(this.options.params.q, field, value, exclude) });
  }

  override template(): TemplateResult {
    const { params } = this.options;
    return html`<div class="search-box ${this.error?.code === 'bad-query' ? 'is-bad' : ''}">${icon('search')}
        <input type="text" class="form-control split-input" spellcheck="false" autocomplete="off" placeholder="Filter of this side" aria-label="Search lines of the second stream" .value=${live(this.typed)}
          @input=${(event: Event) => {
            this.typed = (event.target as HTMLInputElement).value;
            this.settleSoon();
          }} /></div>
      <select class="form-select" aria-label="Least severe level of the second stream" @change=${(event: Event) => this.set({ level: (event.target as HTMLSelectElement).value })}>
        ${LEVELS.map((level) => html`<option value=${level === 'debug' ? '' : level} ?selected=${(params.level ?? 'debug') === level}>${level === 'debug' ? 'All levels' : level}</option>`)}
      </select>
      <button type="button" class="btn btn-icon" title="Close the second stream (|)" aria-label="Close the second stream" @click=${() => this.options.onChange(null)}>${icon('close')}</button>
      ${this.error === null ? null : streamError(this.error, params.q ?? '')}`;
  }
}
