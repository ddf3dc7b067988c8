import { html, render, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { type Action, DESTRUCTIVE_ACTIONS, INSTANCE_STATES } from '../../../../common/model/words.ts';
import { countText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { token } from '../../dom/theme.ts';
import { formatInstanceQuery, type InstanceQuery, orderOf, parseInstanceQuery, type SortKey } from '../../models/instance-order.ts';
import type { InstanceModel } from '../../models/nouns.ts';
import { StillOrder } from '../../models/still-order.ts';
import { Page } from '../base/page.ts';
import { actionsOf } from '../widgets/instance-actions.ts';
import { stateMark } from '../widgets/marks.ts';
import { Menu } from '../widgets/menu.ts';
import { drawInstanceRow, type RowContext } from '../widgets/table/instance-row.ts';
import { tableFrame } from '../widgets/table/table-frame.ts';
import { createVirtualRows, type VirtualRows } from '../widgets/table/virtual-rows.ts';

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
const NARROW = '(max-width: 760px)';

/** All instances of all hosts in one table that stays still under the pointer. */
export class InstancesPage extends Page {
  declare filter: InstanceQuery;
  declare order: StillOrder;
  declare marked: Set<string>;
  declare lastMarked: string | null;
  declare rows: VirtualRows;
  declare head: HTMLElement;
  declare tableHead: HTMLElement;
  declare empty: HTMLElement;
  declare context: RowContext;
  declare selected: number | null;

  override initialize(): void {
    this.el.classList.add('page-instances');
    this.filter = parseInstanceQuery(this.query);
    this.order = new StillOrder();
    this.marked = new Set();
    this.lastMarked = null;
    this.selected = null;
    const frame = tableFrame('Instances of all hosts');
    this.head = frame.head;
    this.tableHead = frame.tableHead;
    this.empty = frame.empty;
    this.el.append(frame.head, frame.table);
    this.context = {
      deps: this.deps,
      isMarked: (id) => this.marked.has(id),
      mark: (id, on, range) => this.mark(id, on, range),
      openMenu: (instance, anchor) => this.openMenu(instance, anchor),
      colours: { cpu: token('wv-curve-cpu'), memory: token('wv-curve-memory') },
    };
    const rowPx = () => (window.matchMedia(NARROW).matches ? 64 : 36);
    const { instances, hosts } = this.deps.models;
    this.rows = createVirtualRows({
      scroller: frame.scroller,
      space: frame.space,
      rowPx,
      draw: (el, id) => {
        const instance = instances.get(id);
        el.classList.toggle('is-gone', instance === undefined);
        if (instance !== undefined) drawInstanceRow(el, instance, this.context);
      },
    });
    this.cleanup(() => this.rows.stop());
    frame.table.addEventListener('pointerenter', (event) => event.pointerType === 'mouse' && this.order.hold());
    frame.table.addEventListener('pointerleave', () => this.release());
    this.listenTo(instances, 'update', this.reorder);
    this.listenTo(instances, 'change', (instance: InstanceModel) => {
      this.rows.repaint(String(instance.id));
      this.reorder();
    });
    this.listenTo(instances, 'loaded samples', () => this.rows.repaintAll());
    this.listenTo(hosts, 'loaded', this.redraw);
    this.listenTo(this.deps.pending, 'change', (id: string) => this.rows.repaint(id));
    this.cleanup(
      this.deps.onTheme(() => {
        this.context.colours = { cpu: token('wv-curve-cpu'), memory: token('wv-curve-memory') };
        this.rows.repaintAll();
      }),
    );
    this.order.set(orderOf(instances.models, this.filter));
    this.rows.show(this.order.shown);
  }

  override title(): string {
    return 'Instances';
  }

  override updateQuery(query: string): boolean {
    this.filter = parseInstanceQuery(query);
    this.order.set(orderOf(this.deps.models.instances.models, this.filter));
    this.order.refresh();
    this.rows.show(this.order.shown);
    this.redraw();
    return true;
  }

  /** The true order may have changed: shown at once, or as a mark while the pointer rests on the table. */
  reorder(): void {
    if (this.order.set(orderOf(this.deps.models.instances.models, this.filter))) this.rows.show(this.order.shown);
    for (const id of this.marked) if (!this.deps.models.instances.get(id)) this.marked.delete(id);
    this.redraw();
  }

  release(): void {
    if (this.order.release()) this.rows.show(this.order.shown);
    this.redraw();
  }

  set(change: Partial<InstanceQuery>): void {
    const query = formatInstanceQuery({ ...this.filter, ...change });
    this.deps.go(query === '' ? '/instances' : `/instances?${query}`, true);
  }

  sortBy(key: SortKey): void {
    const numeric = key === 'cpu' || key === 'memory' || key === 'vcpus';
    this.set(this.filter.sort === key ? { down: !this.filter.down } : { sort: key, down: numeric });
  }

  mark(id: string, on: boolean, range: boolean): void {
    const ids = this.order.shown;
    const [a, b] = [ids.indexOf(this.lastMarked ?? ''), ids.indexOf(id)];
    const hit = range && a >= 0 ? ids.slice(Math.min(a, b), Math.max(a, b) + 1) : [id];
    for (const one of hit) {
      if (on) this.marked.add(one);
      else this.marked.delete(one);
    }
    this.lastMarked = id;
    this.rows.repaintAll();
    this.redraw();
  }

  markAll(on: boolean): void {
    this.marked = new Set(on ? this.order.shown : []);
    this.rows.repaintAll();
    this.redraw();
  }

  openMenu(instance: InstanceModel, anchor: HTMLElement): void {
    const items = actionsOf(instance).map((action) => ({
      label: action,
      danger: DESTRUCTIVE_ACTIONS.includes(action),
      run: () => this.deps.act([instance], action),
    }));
    new Menu({ parent: this, anchor, items, label: 'Actions' }).open();
  }

  override onKey(key: string): boolean {
    const ids = this.order.shown;
    if (key === 'j' || key === 'k' || key === 'ArrowDown' || key === 'ArrowUp') {
      const step = key === 'j' || key === 'ArrowDown' ? 1 : -1;
      this.selected = Math.min(ids.length - 1, Math.max(0, (this.selected ?? (step > 0 ? -1 : ids.length)) + step));
      this.rows.select(ids[this.selected] ?? null);
      this.rows.reveal(this.selected);
      return true;
    }
    const id = this.selected === null ? undefined : ids[this.selected];
    if (id === undefined) return false;
    if (key === 'x') this.mark(id, !this.marked.has(id), false);
    else if (key === 'Enter') this.deps.go(`/instances/${id}`);
    else return false;
    return true;
  }

  override draw(): this {
    render(this.headTemplate(), this.head);
    render(this.columns(), this.tableHead);
    this.empty.hidden = this.order.shown.length > 0;
    if (!this.empty.hidden) render(this.emptyTemplate(), this.empty);
    return this;
  }

  headTemplate(): TemplateResult {
    const all = this.deps.models.instances;
    const counts = new Map<string, number>();
    for (const instance of all.models) counts.set(instance.get('state')!, (counts.get(instance.get('state')!) ?? 0) + 1);
    const marked = [...this.marked].flatMap((id) => all.get(id) ?? []);
    return html`<div class="page-title"><h1>Instances</h1><span class="dim">${countText(this.order.shown.length)} of ${countText(all.length)}</span></div>
      <div class="filter-row">
        <div class="search-box">${icon('search')}<input type="search" class="form-control" placeholder="Name, title, host or UUID" aria-label="Search instances"
          autocomplete="off" spellcheck="false" .value=${live(this.filter.q)} @input=${(event: Event) => this.set({ q: (event.target as HTMLInputElement).value })} /><kbd class="search-key">/</kbd></div>
        <div class="segments" role="radiogroup" aria-label="State">
          <button type="button" class="seg" role="radio" aria-checked=${this.filter.state === '' ? 'true' : 'false'} @click=${() => this.set({ state: '' })}>All</button>
          ${INSTANCE_STATES.filter((state) => counts.has(state) || state === this.filter.state).map(
            (state) => html`<button type="button" class="seg" role="radio" aria-checked=${this.filter.state === state ? 'true' : 'false'}
              @click=${() => this.set({ state: this.filter.state === state ? '' : state })}>${stateMark(state)} <b>${countText(counts.get(state) ?? 0)}</b></button>`,
          )}
        </div>
        <div class="filter-end">${marked.length > 0 ? this.bulk(marked) : null}</div>
      </div>`;
  }

  bulk(marked: InstanceModel[]): TemplateResult {
    const fitting = (action: Action) => marked.filter((instance) => actionsOf(instance).includes(action));
    return html`<div class="bulk" role="toolbar" aria-label="Actions on marked instances"><b>${marked.length} marked</b>
      ${BULK.map((action) => ({ action, targets: fitting(action) }))
        .filter(({ targets }) => targets.length > 0)
        .map(
          ({ action, targets }) => html`<button type="button" data-act=${action} class="btn btn-sm ${DESTRUCTIVE_ACTIONS.includes(action) ? 'btn-danger-quiet' : 'btn-quiet'}"
            @click=${() => this.deps.act(targets, action)}>${action}${targets.length === marked.length ? '' : ` ${targets.length}`}</button>`,
        )}
      <button type="button" class="btn btn-icon" aria-label="Unmark all" @click=${() => this.markAll(false)}>${icon('close')}</button></div>`;
  }

  columns(): TemplateResult {
    const { fresh, moved } = this.order.waiting();
    const all = this.order.shown.length > 0 && this.order.shown.every((id) => this.marked.has(id));
    const { sort, down } = this.filter;
    return html`${COLUMNS.map(([key, className, name]) => {
      if (className === 't-mark') {
        return html`<label class="t-mark"><input type="checkbox" .checked=${all} aria-label="Mark all that are listed" @click=${() => this.markAll(!all)} /></label>`;
      }
      if (key === null) return html`<span class=${className} role="columnheader"></span>`;
      const dir = sort === key ? (down ? 'descending' : 'ascending') : 'none';
      return html`<span class=${className} role="columnheader" aria-sort=${dir}><button type="button" class="sort" @click=${() => this.sortBy(key)}>${name}<i aria-hidden="true">${dir === 'none' ? '' : down ? '↓' : '↑'}</i></button></span>`;
    })}
    ${
      fresh === 0 && !moved
        ? null
        : html`<button type="button" class="waiting" @click=${() => this.order.refresh() && (this.rows.show(this.order.shown), this.redraw())}>${fresh > 0 ? `${fresh} new` : 'order changed'}</button>`
    }`;
  }

  emptyTemplate(): TemplateResult {
    return this.deps.models.instances.length > 0
      ? html`<h2>No instance matches</h2><p>Try a shorter search or another state.</p><a class="btn btn-quiet" href="#/instances">Show all</a>`
      : html`<h2>No instance yet</h2><p>Instances appear here as soon as a host with libvirt is enrolled; those it has already are shown at once.</p><a class="btn btn-accent" href="#/hosts">Add a host</a>`;
  }
}
