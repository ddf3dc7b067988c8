import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { countText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { LINE_WORDS } from '../../../models/line-fields.ts';
import { type Column, DEFAULT_COLUMNS, DENSITIES, KEEPS, type StreamLook, TIMES } from '../../../models/stream-look.ts';
import { DialogView } from '../../base/dialog.ts';
import type { ViewOptions } from '../../base/view.ts';

export interface ViewMenuOptions extends ViewOptions {
  look: StreamLook;
  /** Names of fields that the lines here carry. */
  fields: readonly string[];
}

const DENSITY_NAMES = { compact: 'Compact', normal: 'Normal', roomy: 'Roomy' };
const TIME_NAMES = { local: 'Local', utc: 'UTC', ago: 'Ago' };
const STEP_PX = 20;

/** How streams look: density, wrap, folding, times, columns with their order and width. Everything by keys too. */
export class ViewMenu extends DialogView<ViewMenuOptions> {
  override preinitialize(options: ViewMenuOptions): void {
    super.preinitialize(options);
    this.className = 'dialog view-menu';
  }

  override initialize(): void {
    this.listenTo(this.options.look, 'change', () => this.draw());
  }

  override template(): TemplateResult {
    const { look, fields } = this.options;
    const { density, wrap, fold, times, columns, keepLines } = look.state;
    const offered = [...new Set([...DEFAULT_COLUMNS.map(({ field }) => field), ...LINE_WORDS, ...fields])].filter(
      (field) => !look.has(field),
    );
    return html`<header><h2 id="dialog-title">View</h2>
        <button type="button" class="btn btn-icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button></header>
      <div class="view-grid">
        ${this.choice(
          'Rows',
          DENSITIES,
          density,
          (one) => DENSITY_NAMES[one],
          (one) => look.set({ density: one }),
          'd',
        )}
        ${this.choice(
          'Times',
          TIMES,
          times,
          (one) => TIME_NAMES[one],
          (one) => look.set({ times: one }),
          'a',
        )}
        ${this.choice(
          'Lines kept here',
          KEEPS,
          keepLines,
          (one) => countText(one),
          (one) => look.set({ keepLines: one }),
          null,
        )}
        ${this.check('Wrap long messages', wrap, () => look.set({ wrap: !wrap }), 'w')}
        ${this.check('Fold repeated lines into one, with a count', fold, () => look.set({ fold: !fold }), 'u')}
      </div>
      <h3>Columns</h3>
      <ol class="column-list">${columns.map((column, index) => this.column(column, index, columns.length))}
        <li class="dim"><span>message</span><span class="column-tools">takes the rest</span></li></ol>
      <form class="column-add" @submit=${(event: SubmitEvent) => this.add(event)}>
        <input class="form-control" name="field" list="column-names" placeholder="Add a field, such as unit or rtt.ms" aria-label="Field of a new column" autocomplete="off" spellcheck="false" maxlength="64" />
        <datalist id="column-names">${offered.map((field) => html`<option value=${visibleText(field)}></option>`)}</datalist>
        <button class="btn btn-quiet">${icon('plus')} Add</button>
        <button type="button" class="btn btn-quiet" @click=${() => look.set({ columns: DEFAULT_COLUMNS })}>As it was</button>
      </form>`;
  }

  choice<T>(
    label: string,
    all: readonly T[],
    on: T,
    name: (one: T) => string,
    set: (one: T) => void,
    key: string | null,
  ): TemplateResult {
    return html`<div class="view-row"><span>${label} ${key === null ? null : html`<kbd>${key}</kbd>`}</span>
      <div class="segments" role="radiogroup" aria-label=${label}>${all.map(
        (one) =>
          html`<button type="button" role="radio" class="seg" ?data-first=${one === on && key === 'd'} aria-checked=${one === on ? 'true' : 'false'} @click=${() => set(one)}>${name(one)}</button>`,
      )}</div></div>`;
  }

  check(label: string, on: boolean, toggle: () => void, key: string): TemplateResult {
    return html`<label class="view-row"><span>${label} <kbd>${key}</kbd></span><input type="checkbox" class="form-check-input" .checked=${on} @change=${toggle} /></label>`;
  }

  column({ field, px }: Column, index: number, count: number): TemplateResult {
    const { look } = this.options;
    const name = visibleText(field);
    const tool = (text: TemplateResult | string, label: string, off: boolean, run: () => void) =>
      html`<button type="button" class="btn btn-icon btn-sm" title=${label} aria-label="${label}: ${name}" ?disabled=${off} @click=${run}>${text}</button>`;
    const fixed = field === 'level';
    return html`<li><span>${name}</span><span class="column-tools">
      ${tool('↑', 'Further left', index === 0, () => look.moveColumn(field, -1))}
      ${tool('↓', 'Further right', index === count - 1, () => look.moveColumn(field, 1))}
      ${tool('−', 'Narrower', fixed, () => look.sizeColumn(field, px - STEP_PX))}
      <small>${px}</small>
      ${tool('+', 'Wider', fixed, () => look.sizeColumn(field, px + STEP_PX))}
      ${tool(icon('close'), 'Take away', false, () => look.toggleColumn(field))}</span></li>`;
  }

  add(event: SubmitEvent): void {
    event.preventDefault();
    const input = (event.target as HTMLFormElement).elements.namedItem('field') as HTMLInputElement;
    const field = input.value.trim();
    if (field === '' || this.options.look.has(field)) return;
    this.options.look.toggleColumn(field);
    input.value = '';
  }
}
