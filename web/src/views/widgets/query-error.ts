import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { errorHint } from '../../models/error-hints.ts';

/** Place of the fault in the filter that a message names ("at character 7"), counted from 0; null when it names none. */
export function faultPosition(message: string): number | null {
  const found = /\bat character (\d+)/.exec(message);
  return found === null ? null : Number(found[1]) - 1;
}

/** Why a stream shows nothing: what happened, where in the filter, what to try. */
export function streamError(error: { code: string; message: string }, q: string): TemplateResult {
  const position = error.code === 'bad-query' ? faultPosition(error.message) : null;
  const hint = errorHint(error.code);
  return html`<div class="stream-error" role="alert" id="stream-error">
    <span>${visibleText(error.message)}${hint === null ? '' : ` ${hint}`}</span>
    ${
      position === null
        ? null
        : html`<code class="fault">${visibleText(q.slice(0, position))}<mark>${visibleText(q.slice(position, position + 1) || ' ')}</mark>${visibleText(q.slice(position + 1))}</code>`
    }
  </div>`;
}
