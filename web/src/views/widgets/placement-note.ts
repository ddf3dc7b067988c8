import { html, type TemplateResult } from 'lit-html';
import type { Placement } from '../../../../common/model/job.ts';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { plural } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';

/** Why a new instance went where it went, and why not elsewhere. */
export function placementNote(place: Placement | null): TemplateResult | null {
  if (place === null) return null;
  return html`<div class="placement"><p>${icon('check')} <b>${visibleText(place.hostName)}</b>: ${visibleText(place.reason)}</p>
    ${
      place.passed.length === 0
        ? null
        : html`<details><summary>${plural(place.passed.length, 'other host')} passed over</summary>
          <ul>${place.passed.map((one) => html`<li><b>${visibleText(one.hostName)}</b> <span class="dim">${visibleText(one.reason)}</span></li>`)}</ul></details>`
    }</div>`;
}
