import { html, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { DetailActions } from './line-detail.ts';

/** Which objects of a tree are closed, by path, and how to open or close one. */
export interface TreeState {
  closed: ReadonlySet<string>;
  toggle(path: string): void;
}

/** A hostile line must not freeze the page: so many values are drawn, so deep. */
const MOST_VALUES = 300;
const MOST_DEPTH = 12;
const MOST_CHARS = 4_000;

/** The fields of a line as a tree. Each plain value can be filtered by, hidden, copied, and made a column. */
export function fieldTree(fields: Record<string, unknown>, actions: DetailActions, state: TreeState): TemplateResult {
  const budget = { left: MOST_VALUES };
  const tree = branch(fields, '', 0);
  return html`${tree}${budget.left < 0 ? html`<p class="dim">There is more; copy the line as JSON to see all of it.</p>` : null}`;

  function branch(value: object, prefix: string, depth: number): TemplateResult {
    const rows: TemplateResult[] = [];
    for (const [key, one] of Object.entries(value)) {
      budget.left -= 1;
      if (budget.left < 0) break;
      rows.push(leafOrBranch(key, one, `${prefix}${key}`, depth));
    }
    return html`<ul class="tree">${rows}</ul>`;
  }

  function leafOrBranch(key: string, value: unknown, path: string, depth: number): TemplateResult {
    const name = html`<span class="tree-key">${visibleText(key)}</span>`;
    if (value === null || typeof value !== 'object' || depth >= MOST_DEPTH) {
      const text = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, MOST_CHARS);
      const kind = value === null ? 'null' : typeof value === 'object' ? 'deep' : typeof value;
      return html`<li><span class="tree-gap"></span>${name}<span class="tree-value is-${kind}">${visibleText(text)}</span>${valueActions(path, text, actions)}</li>`;
    }
    const open = !state.closed.has(path);
    const size = Object.keys(value).length;
    const kind = Array.isArray(value) ? plural(size, 'entry', 'entries') : plural(size, 'field');
    return html`<li>
      <button type="button" class="tree-toggle" aria-expanded=${open ? 'true' : 'false'} @click=${() => state.toggle(path)}>${icon(open ? 'down' : 'chevron')}${name}</button><span class="tree-size">${kind}</span>
      ${open ? branch(value, `${path}.`, depth + 1) : null}
    </li>`;
  }
}

/** What can be done with one value: small, and out of the way until the row is looked at. */
export function valueActions(field: string, value: string, actions: DetailActions): TemplateResult {
  const name = visibleText(field);
  const column = actions.hasColumn(field);
  return html`<span class="fact-filter">
    <button type="button" title="Show only these" aria-label="Show only lines with this ${name}" @click=${() => actions.addFilter(field, value, false)}>+</button>
    <button type="button" title="Hide these" aria-label="Hide lines with this ${name}" @click=${() => actions.addFilter(field, value, true)}>−</button>
    <button type="button" title=${column ? 'Take the column away' : 'Show as a column'} aria-pressed=${column ? 'true' : 'false'} aria-label="Column for ${name}" @click=${() => actions.toggleColumn(field)}>${icon('panel')}</button>
    <button type="button" title="Copy the value" aria-label="Copy this ${name}" @click=${() => actions.copyValue(value)}>${icon('copy')}</button>
  </span>`;
}
