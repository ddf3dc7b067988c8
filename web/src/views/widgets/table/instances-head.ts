import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { type Action, DESTRUCTIVE_ACTIONS, INSTANCE_STATES } from '../../../../../common/model/words.ts';
import { countText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import type { InstanceQuery, SortKey } from '../../../models/instance-order.ts';
import type { InstanceModel } from '../../../models/nouns.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import type { StillOrder } from '../../../models/still-order.ts';
import { actionsOf } from '../instance-actions.ts';
import { stateMark } from '../marks.ts';

/** What the head of the instances page reads and asks of its page. */
export interface InstancesHead {
  deps: Pick<PageDeps, 'models' | 'act' | 'dialogs'>;
  filter: InstanceQuery;
  order: StillOrder;
  marked: Set<string>;
  set(change: Partial<InstanceQuery>): void;
  sortBy(key: SortKey): void;
  markAll(on: boolean): void;
  /** Takes the true order although the pointer rests on the table. */
  takeOrder(): void;
}

const COLUMNS: [key: SortKey | null, className: string, name: string][] = [
  [null, 't-mark', ''],
  ['state', 't-state', 'State'],
  ['name', 't-name', 'Name'],
  ['host', 't-host', 'Host'],
  ['vcpus', 't-vcpus', 'vCPU'],
  ['cpu', 't-cpu', 'CPU'],
  ['memory', 't-memory', 'Memory'],
  [null, 't-auto', ''],
  [null, 't-actions', ''],
];
const BULK: Action[] = ['start', 'shutdown', 'reboot', 'pause', 'resume', 'force-off'];

/** Title, search, states and, once rows are marked, what can be done with them. */
export function headTemplate(page: InstancesHead): TemplateResult {
  const all = page.deps.models.instances;
  const counts = new Map<string, number>();
  for (const instance of all.models) counts.set(instance.get('state')!, (counts.get(instance.get('state')!) ?? 0) + 1);
  const marked = [...page.marked].flatMap((id) => all.get(id) ?? []);
  return html`<div class="page-title"><h1>Instances</h1><span class="dim">${countText(page.order.shown.length)} of ${countText(all.length)}</span>
        <div class="title-end buttons"><a class="btn btn-quiet" href="#/images">${icon('images')} Images</a>
          <button type="button" class="btn btn-accent" title="Launch (n)" @click=${() => page.deps.dialogs.launch()}>${icon('plus')} Launch</button></div></div>
      <div class="filter-row">
        <div class="search-box">${icon('search')}<input type="search" class="form-control" placeholder="Name, title, host or UUID" aria-label="Search instances"
          autocomplete="off" spellcheck="false" .value=${live(page.filter.q)} @input=${(event: Event) => page.set({ q: (event.target as HTMLInputElement).value })} /><kbd class="search-key">/</kbd></div>
        <div class="segments" role="radiogroup" aria-label="State">
          <button type="button" class="seg" role="radio" aria-checked=${page.filter.state === '' ? 'true' : 'false'} @click=${() => page.set({ state: '' })}>All</button>
          ${INSTANCE_STATES.filter((state) => counts.has(state) || state === page.filter.state).map(
            (
              state,
            ) => html`<button type="button" class="seg" role="radio" aria-checked=${page.filter.state === state ? 'true' : 'false'}
              @click=${() => page.set({ state: page.filter.state === state ? '' : state })}>${stateMark(state)} <b>${countText(counts.get(state) ?? 0)}</b></button>`,
          )}
        </div>
        <div class="filter-end">${marked.length > 0 ? bulk(page, marked) : null}</div>
      </div>`;
}

function bulk(page: InstancesHead, marked: InstanceModel[]): TemplateResult {
  const fitting = (action: Action) => marked.filter((instance) => actionsOf(instance).includes(action));
  return html`<div class="bulk" role="toolbar" aria-label="Actions on marked instances"><b>${countText(marked.length)} marked</b>
      ${BULK.map((action) => ({ action, targets: fitting(action) }))
        .filter(({ targets }) => targets.length > 0)
        .map(
          ({
            action,
            targets,
          }) => html`<button type="button" data-act=${action} class="btn btn-sm ${DESTRUCTIVE_ACTIONS.includes(action) ? 'btn-danger-quiet' : 'btn-quiet'}"
            @click=${() => page.deps.act(targets, action)}>${action}${targets.length === marked.length ? '' : ` ${countText(targets.length)}`}</button>`,
        )}
      <button type="button" class="btn btn-icon" aria-label="Unmark all" @click=${() => page.markAll(false)}>${icon('close')}</button></div>`;
}

/** The head of the table, with the mark of what waits while its order is held still. */
export function columns(page: InstancesHead): TemplateResult {
  const { fresh, moved } = page.order.waiting();
  const all = page.order.shown.length > 0 && page.order.shown.every((id) => page.marked.has(id));
  const { sort, down } = page.filter;
  return html`${COLUMNS.map(([key, className, name]) => {
    if (className === 't-mark') {
      return html`<label class="t-mark"><input type="checkbox" .checked=${all} aria-label="Mark all that are listed" @click=${() => page.markAll(!all)} /></label>`;
    }
    if (key === null) return html`<span class=${className} role="columnheader"></span>`;
    const dir = sort === key ? (down ? 'descending' : 'ascending') : 'none';
    return html`<span class=${className} role="columnheader" aria-sort=${dir}><button type="button" class="sort" @click=${() => page.sortBy(key)}>${name}<i aria-hidden="true">${dir === 'none' ? '' : down ? '↓' : '↑'}</i></button></span>`;
  })}
    ${
      fresh === 0 && !moved
        ? null
        : html`<button type="button" class="waiting" @click=${() => page.takeOrder()}>${fresh > 0 ? `${fresh} new` : 'order changed'}</button>`
    }`;
}

/** What stands there when no row is listed. */
export function emptyTemplate(hasSome: boolean): TemplateResult {
  return hasSome
    ? html`<h2>No instance matches</h2><p>Try a shorter search or another state.</p><a class="btn btn-quiet" href="#/instances">Show all</a>`
    : html`<h2>No instance yet</h2><p>Instances appear here as soon as a host with libvirt is enrolled; those it has already are shown at once. New ones are launched from a base image.</p><a class="btn btn-accent" href="#/hosts">Add a host</a>`;
}
