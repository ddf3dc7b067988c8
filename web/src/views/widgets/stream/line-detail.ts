import { html, type TemplateResult } from 'lit-html';
import type { Line } from '../../../../../common/model/line.ts';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { dayTimeText, durationText, utcText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';

export interface DetailActions {
  addFilter(field: string, value: string, exclude: boolean): void;
  copyLink(line: Line): void;
  copyLine(line: Line): void;
  instanceName(id: string): string;
}

interface Fact {
  label: string;
  text: string;
  /** Field and value a click narrows the stream to; absent where that makes no sense. */
  filter?: [string, string];
  href?: string;
}

/** Fields in depth, as `a.b.c`, at most 200 of them: a hostile line must not freeze the page. */
export function flattenFields(
  fields: Record<string, unknown>,
  prefix = '',
  into: [string, string][] = [],
): [string, string][] {
  for (const [key, value] of Object.entries(fields)) {
    if (into.length >= 200) return into;
    const name = `${prefix}${key}`;
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      flattenFields(value as Record<string, unknown>, `${name}.`, into);
    } else {
      into.push([name, typeof value === 'string' ? value : JSON.stringify(value)]);
    }
  }
  return into;
}

function factsOf(line: Line, actions: DetailActions): Fact[] {
  const lateMs = line.receivedMs - line.tsMs;
  const facts: Fact[] = [
    { label: 'time', text: `${dayTimeText(line.tsMs)}  ·  ${utcText(line.tsMs)}` },
    { label: 'received', text: `${durationText(Math.abs(lateMs))} ${lateMs < 0 ? 'before its own time' : 'later'}` },
    { label: 'level', text: line.level, filter: ['level', line.level] },
    {
      label: 'host',
      text: line.hostName || line.agent,
      ...(line.host ? { filter: ['host', line.host] as [string, string], href: `#/hosts/${line.host}` } : {}),
    },
    { label: 'source', text: line.source, filter: ['source', line.source] },
  ];
  if (line.unit !== undefined) facts.push({ label: 'unit', text: line.unit, filter: ['unit', line.unit] });
  if (line.instance !== undefined) {
    const href = `#/instances/${encodeURIComponent(line.instance)}`;
    facts.push({
      label: 'instance',
      text: actions.instanceName(line.instance),
      filter: ['instance', line.instance],
      href,
    });
  }
  if (line.job !== undefined) {
    const href = `#/jobs/${encodeURIComponent(line.job)}`;
    facts.push({ label: 'job', text: line.job, filter: ['job', line.job], href });
  }
  if (line.session !== undefined) {
    const href = `#/compute/${encodeURIComponent(line.session)}`;
    facts.push({ label: 'session', text: line.session, filter: ['session', line.session], href });
  }
  for (const [name, text] of flattenFields(line.fields ?? {})) facts.push({ label: name, text, filter: [name, text] });
  facts.push({ label: 'id', text: line.id });
  return facts;
}

/** Everything that is known of a line. Values are text and nothing else. */
export function lineDetail(line: Line, actions: DetailActions): TemplateResult {
  const fact = ({ label, text, filter, href }: Fact) => {
    const shown = visibleText(text);
    return html`<tr>
      <th scope="row">${visibleText(label)}</th>
      <td>
        ${href === undefined ? html`<span>${shown}</span>` : html`<a href=${href}>${shown}</a>`}
        ${
          filter === undefined
            ? null
            : html`<span class="fact-filter">
              <button type="button" title="Show only these" aria-label="Show only lines with this ${visibleText(label)}"
                @click=${() => actions.addFilter(filter[0], filter[1], false)}>+</button>
              <button type="button" title="Hide these" aria-label="Hide lines with this ${visibleText(label)}"
                @click=${() => actions.addFilter(filter[0], filter[1], true)}>−</button>
            </span>`
        }
      </td>
    </tr>`;
  };
  return html`<div class="detail-inner">
    <pre class="detail-message">${visibleText(line.message, { keepNewlines: true })}</pre>
    <table class="facts"><tbody>${factsOf(line, actions).map(fact)}</tbody></table>
    <div class="detail-actions">
      <a class="btn btn-sm btn-quiet" href="#/lines/${encodeURIComponent(line.id)}">${icon('live')} In context</a>
      <button type="button" class="btn btn-sm btn-quiet" @click=${() => actions.copyLink(line)}>${icon('link')} Copy link</button>
      <button type="button" class="btn btn-sm btn-quiet" @click=${() => actions.copyLine(line)}>${icon('copy')} Copy line</button>
    </div>
  </div>`;
}
