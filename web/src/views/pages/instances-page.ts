import { render } from 'lit-html';
import { DESTRUCTIVE_ACTIONS } from '../../../../common/model/words.ts';
import { inFrame } from '../../dom/frame.ts';
import { token } from '../../dom/theme.ts';
import {
  formatInstanceQuery,
  type InstanceQuery,
  orderOf,
  parseInstanceQuery,
  type SortKey,
} from '../../models/instance-order.ts';
import type { InstanceModel } from '../../models/nouns.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { StillOrder } from '../../models/still-order.ts';
import { Page } from '../base/page.ts';
import { actionsOf, openOp, opsOf } from '../widgets/instance-actions.ts';
import { Menu } from '../widgets/menu.ts';
import { drawInstanceRow, type RowContext } from '../widgets/table/instance-row.ts';
import { columns, emptyTemplate, headTemplate } from '../widgets/table/instances-head.ts';
import { tableFrame } from '../widgets/table/table-frame.ts';
import { createVirtualRows, type VirtualRows } from '../widgets/table/virtual-rows.ts';

const NARROW = '(max-width: 760px)';

/** All instances of all hosts in one table that stays still under the pointer. */
export class InstancesPage extends Page<PageDeps> {
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
      // A thousand changes in one batch sort the table once.
      inFrame(this.order, () => !this.destroyed && this.reorder());
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

  takeOrder(): void {
    if (this.order.refresh()) this.rows.show(this.order.shown);
    this.redraw();
  }

  release(): void {
    if (this.order.release()) this.rows.show(this.order.shown);
    this.redraw();
  }

  set(change: Partial<InstanceQuery>): void {
    // The address follows a moment later: a drawing in between must not take back what was typed.
    this.filter = { ...this.filter, ...change };
    const query = formatInstanceQuery(this.filter);
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
    const actions = actionsOf(instance).map((action) => ({
      label: action as string,
      danger: DESTRUCTIVE_ACTIONS.includes(action),
      run: () => this.deps.act([instance], action),
    }));
    const ops = opsOf(instance).map((op) => ({
      label: `${op}…`,
      danger: op === 'delete',
      run: () => openOp(instance, op, this.deps),
    }));
    const items = [...actions, ...ops];
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
    const instance = this.deps.models.instances.get(id);
    if (key === 'x') this.mark(id, !this.marked.has(id), false);
    else if (key === 'm' && instance !== undefined && opsOf(instance).includes('migrate'))
      openOp(instance, 'migrate', this.deps);
    else if (key === 'Enter') this.deps.go(`/instances/${id}`);
    else return false;
    return true;
  }

  override draw(): this {
    render(headTemplate(this), this.head);
    render(columns(this), this.tableHead);
    this.empty.hidden = this.order.shown.length > 0;
    if (!this.empty.hidden) render(emptyTemplate(this.deps.models.instances.length > 0), this.empty);
    return this;
  }
}
