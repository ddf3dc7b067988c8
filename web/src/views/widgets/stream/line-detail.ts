import { html, type TemplateResult } from 'lit-html';
import type { Line } from '../../../../../common/model/line.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { dayTimeText, durationText, spanText, utcText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { ansiRuns } from '../../../models/ansi.ts';
import { placeOf } from '../../../models/line-place.ts';
import type { FoldedLine } from '../../../models/shown-rows.ts';
import { fieldTree, type TreeState, valueActions } from './field-tree.ts';
import { specialRow } from './special-row.ts';

export interface DetailActions {
  addFilter(field: string, value: string, exclude: boolean): void;
  /** Whether a field has a column; null where columns cannot be chosen. */
  hasColumn(field: string): boolean;
  toggleColumn(field: string): void;
  copyLink(line: Line): void;
  copyLine(line: Line): void;
  copyJson(line: Line): void;
  copyValue(text: string): void;
  instanceName(id: string): string;
}

interface Fact {
  label: string;
  text: string;
  /** Field and value a click narrows the stream to; absent where that makes no sense. */
  filter?: [string, string];
  href?: string;
}

function factsOf(line: FoldedLine, actions: DetailActions): Fact[] {
  const lateMs = line.receivedMs - line.tsMs;
  const facts: Fact[] = [
    { label: 'time', text: dayTimeText(line.tsMs) },
    { label: 'UTC', text: utcText(line.tsMs) },
    { label: 'received', text: `${durationText(Math.abs(lateMs))} ${lateMs < 0 ? 'before its own time' : 'later'}` },
  ];
  if (line.repeats !== undefined) {
    const { count, firstMs } = line.repeats;
    facts.push({ label: 'repeated', text: `${count} times in a row, over ${spanText(line.tsMs - firstMs)}` });
  }
  if (line.sortMs !== undefined)
    facts.push({ label: 'placed at', text: `${dayTimeText(line.sortMs)}: the clock of its agent was off` });
  facts.push(
    { label: 'level', text: line.level, filter: ['level', line.level] },
    {
      label: 'host',
      text: placeOf(line),
      ...(line.host ? { filter: ['host', line.host] as [string, string], href: `#/hosts/${line.host}` } : {}),
    },
    { label: 'source', text: line.source, filter: ['source', line.source] },
  );
  if (line.unit !== undefined) facts.push({ label: 'unit', text: line.unit, filter: ['unit', line.unit] });
  const things = [
    ['instance', line.instance, 'instances'],
    ['job', line.job, 'jobs'],
    ['session', line.session, 'compute'],
  ] as const;
  for (const [label, id, place] of things) {
    if (id === undefined) continue;
    const text = label === 'instance' ? actions.instanceName(id) : id;
    facts.push({ label, text, filter: [label, id], href: `#/${place}/${encodeURIComponent(id)}` });
  }
  facts.push({ label: 'id', text: line.id });
  return facts;
}

/** The message with its colours, in as many rows as it has. */
function messageOf(line: Line): TemplateResult | string {
  const runs = ansiRuns(line.message, { keepNewlines: true });
  if (runs === null) return visibleText(line.message, { keepNewlines: true });
  return html`${runs.map(({ text, classes }) => html`<span class=${classes}>${text}</span>`)}`;
}

/** Everything of the same job, instance, session or host: each a link of its own. */
function sameOnes(line: Line): TemplateResult {
  const of = (what: string, id: string | undefined) =>
    id
      ? html`<a class="btn btn-sm btn-quiet" href="#/live?${new URLSearchParams({ [what]: id }).toString()}">${icon('search')} Lines of this ${what}</a>`
      : null;
  return html`${of('job', line.job)}${of('instance', line.instance)}${of('session', line.session)}${of('host', line.host)}`;
}

/** Everything that is known of a line. Values are text and nothing else. */
export function lineDetail(line: FoldedLine, actions: DetailActions, state: TreeState): TemplateResult {
  const fact = ({ label, text, filter, href }: Fact) => {
    const shown = visibleText(text);
    return html`<tr>
      <th scope="row">${label}</th>
      <td>${href === undefined ? html`<span>${shown}</span>` : html`<a href=${href}>${shown}</a>`}
        ${filter === undefined ? null : valueActions(filter[0], filter[1], actions)}</td>
    </tr>`;
  };
  const fields = line.fields === undefined || Object.keys(line.fields).length === 0 ? null : line.fields;
  const special = specialRow(line, actions.instanceName);
  const rule = new URLSearchParams({ line: line.id }).toString();
  return html`<div class="detail-inner">
    <pre class="detail-message">${special === null ? messageOf(line) : special.text}</pre>
    <div class="detail-columns">
      <table class="facts"><tbody>${factsOf(line, actions).map(fact)}</tbody></table>
      ${fields === null ? null : html`<section class="detail-fields" aria-label="Fields">${fieldTree(fields, actions, state)}</section>`}
    </div>
    <div class="detail-actions">
      <a class="btn btn-sm btn-quiet" href="#/lines/${encodeURIComponent(line.id)}">${icon('live')} In context</a>
      <button type="button" class="btn btn-sm btn-quiet" @click=${() => actions.copyLink(line)}>${icon('link')} Copy link</button>
      <button type="button" class="btn btn-sm btn-quiet" @click=${() => actions.copyLine(line)}>${icon('copy')} Copy text</button>
      <button type="button" class="btn btn-sm btn-quiet" @click=${() => actions.copyJson(line)}>${icon('copy')} Copy JSON</button>
      ${special?.link ? html`<a class="btn btn-sm btn-quiet" href=${special.link.href}>${icon(special.kind === 'gap' ? 'ledger' : 'instances')} ${special.link.name}</a>` : null}
      ${sameOnes(line)}
      <a class="btn btn-sm btn-quiet" href="#/rules/new?${rule}">${icon('warn')} Make a rule</a>
    </div>
  </div>`;
}
