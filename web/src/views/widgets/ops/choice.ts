import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';

export interface Choice {
  value: string;
  /** First line: what it is. */
  title: TemplateResult | string;
  /** Second line: what tells it from the others. */
  note: TemplateResult | string;
  /** At the end of the row. */
  end?: TemplateResult | string | null;
  disabled?: boolean;
  /** Colour of the edge. */
  tone?: 'good' | 'warn' | 'bad';
}

/** Radio buttons as rows: arrows move, the whole row can be pressed. */
export function choiceList(
  name: string,
  label: string,
  choices: readonly Choice[],
  chosen: string,
  choose: (value: string) => void,
): TemplateResult {
  return html`<div class="choices" role="radiogroup" aria-label=${label}>${choices.map(
    (
      choice,
    ) => html`<label class="choice ${choice.tone ? `choice-${choice.tone}` : ''} ${choice.disabled ? 'is-off' : ''}">
      <input type="radio" name=${name} value=${choice.value} .checked=${live(choice.value === chosen)} ?disabled=${choice.disabled ?? false}
        @change=${() => choose(choice.value)} />
      <span class="choice-text"><b>${choice.title}</b><small>${choice.note}</small></span>
      ${choice.end ? html`<span class="choice-end">${choice.end}</span>` : null}</label>`,
  )}</div>`;
}
