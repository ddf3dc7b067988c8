import { html, nothing, render } from 'lit-html';
import { durationText, plural } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { type Cell, isBusy } from '../../../models/compute/cell.ts';
import type { Notebook } from '../../../models/compute/notebook.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { CellView } from './cell-view.ts';

export interface NotebookViewOptions extends ViewOptions {
  deps: Pick<PageDeps, 'compute' | 'copy' | 'nowMs'>;
  notebook: Notebook;
}

/** The second Ctrl-C must follow within this time. */
const TWICE_MS = 1_500;
/** Nearer to the end than this, the view goes along with what comes. */
const NEAR_END_PX = 60;

/** The cells of a session, in their order, each drawn when it changes. Event: `typeset`. */
export class NotebookView extends View<NotebookViewOptions> {
  declare views: Map<string, CellView>;
  declare list: HTMLElement;
  declare told: HTMLElement;
  declare notes: HTMLElement;
  declare typeset: boolean;
  declare selected: Cell | null;
  declare interruptMs: number;
  declare atEnd: boolean;

  override preinitialize(options: NotebookViewOptions): void {
    super.preinitialize(options);
    this.className = 'notebook';
    this.views = new Map();
    this.typeset = false;
    this.selected = null;
    this.interruptMs = Number.NEGATIVE_INFINITY;
    this.atEnd = true;
  }

  override initialize(): void {
    const { notebook } = this.options;
    this.el.setAttribute('role', 'region');
    this.el.setAttribute('aria-label', 'Cells');
    this.el.tabIndex = -1;
    this.notes = document.createElement('div');
    this.list = document.createElement('div');
    this.list.className = 'cells';
    // Outcomes are read out; what streams is not: it would never end.
    this.told = document.createElement('div');
    this.told.className = 'visually-hidden';
    this.told.setAttribute('aria-live', 'polite');
    this.el.append(this.notes, this.list, this.told);
    this.listenTo(notebook, 'cell', (cell: Cell) => this.views.get(cell.key)?.changed());
    this.listenTo(notebook, 'layout', this.redraw);
    this.listenTo(notebook, 'state', () => {
      this.redraw();
      for (const view of this.views.values()) view.redraw();
    });
    this.listenTo(notebook, 'ended', (cell: Cell) => this.tell(cell));
    this.every(500, () => {
      const running = notebook.running();
      if (running !== null) this.views.get(running.key)?.redraw();
    });
    const sizes = new ResizeObserver(() => {
      if (this.atEnd && notebook.ready) this.el.scrollTop = this.el.scrollHeight;
    });
    sizes.observe(this.list);
    this.cleanup(() => sizes.disconnect());
    this.el.addEventListener('scroll', () => {
      this.atEnd = this.el.scrollHeight - this.el.scrollTop - this.el.clientHeight < NEAR_END_PX;
    });
    this.list.addEventListener('focusin', (event) => {
      const el = (event.target as HTMLElement).closest('.cell');
      const found = notebook.cells.find(({ key }) => this.views.get(key)?.el === el);
      if (found !== undefined) this.select(found);
    });
  }

  override draw(): this {
    if (this.destroyed) return this;
    const { notebook } = this.options;
    const keys = new Set(notebook.cells.map(({ key }) => key));
    for (const [key, view] of this.views) {
      if (keys.has(key)) continue;
      view.destroy();
      this.views.delete(key);
    }
    notebook.cells.forEach((cell, index) => {
      const view = this.views.get(cell.key) ?? this.make(cell);
      // An element that is moved loses the focus: with those that are gone away, the others stand where they stood.
      if (this.list.children[index] !== view.el) this.list.insertBefore(view.el, this.list.children[index] ?? null);
    });
    render(this.noteTemplate(), this.notes);
    return this;
  }

  make(cell: Cell): CellView {
    const { deps, notebook } = this.options;
    const view = new CellView({
      parent: this,
      deps,
      notebook,
      cell,
      typeset: () => this.typeset,
      run: (one, then) => this.run(one, then),
      interruptKey: () => this.interruptKey(),
      leave: (one, direction) => this.leave(one, direction),
    });
    this.views.set(cell.key, view);
    this.listenTo(notebook, 'layout', () => cell.code !== '' && view.editor.show());
    view.draw();
    return view;
  }

  noteTemplate() {
    const { notebook } = this.options;
    return html`${notebook.error === null ? nothing : html`<p class="form-error" role="alert">${notebook.error.message}</p>`}
      ${notebook.lostEvents > 0 ? html`<p class="out-note">${icon('warn')} ${plural(notebook.lostEvents, 'earlier event')} of this session are not kept any more.</p>` : nothing}
      ${notebook.ready || notebook.error !== null ? nothing : html`<p class="dim"><span class="spinner" aria-hidden="true"></span> Reading what this session has brought…</p>`}`;
  }

  run(cell: Cell, then: 'next' | 'stay' | 'insert'): void {
    const { notebook, deps } = this.options;
    if (notebook.death === null && !isBusy(cell) && cell.code.trim() !== '') void deps.compute.run(notebook, cell);
    if (then === 'stay') return;
    const at = notebook.cells.indexOf(cell);
    const next = then === 'insert' ? notebook.insert(cell) : notebook.cells[at + 1];
    if (next !== undefined) this.edit(next);
  }

  /** Runs every cell from the first on. A failure stops nothing: the code behind it may not need it. */
  runAll(): void {
    const { notebook } = this.options;
    for (const cell of [...notebook.cells]) this.run(cell, 'stay');
  }

  interrupt(): void {
    void this.options.deps.compute.interrupt(this.options.notebook.id);
  }

  /** Ctrl-C with nothing selected, twice: the first may have been meant to copy. */
  interruptKey(): void {
    if (this.options.notebook.busyCells().length === 0) return;
    const nowMs = performance.now();
    const twice = nowMs - this.interruptMs < TWICE_MS;
    this.interruptMs = twice ? Number.NEGATIVE_INFINITY : nowMs;
    if (twice) this.interrupt();
    this.told.textContent = twice ? 'Interrupting' : 'Press Ctrl C again to interrupt';
    this.trigger('hint', twice ? null : 'Ctrl C again interrupts');
  }

  leave(cell: Cell, direction: -1 | 1): boolean {
    const { cells } = this.options.notebook;
    const next = cells[cells.indexOf(cell) + direction];
    if (next !== undefined) this.edit(next);
    return next !== undefined;
  }

  edit(cell: Cell): void {
    this.draw();
    this.select(cell);
    this.views.get(cell.key)?.focus();
  }

  select(cell: Cell | null): void {
    this.selected = cell;
    for (const [key, view] of this.views) view.el.classList.toggle('is-selected', key === cell?.key);
  }

  setTypeset(on: boolean): void {
    this.typeset = on;
    for (const view of this.views.values()) view.resetFigures();
  }

  /** Says how a run went, for who does not see it. */
  tell(cell: Cell): void {
    const failed = cell.output.parts.findLast((part) => part.kind === 'error');
    const how = cell.state === 'ok' ? 'done' : cell.state;
    const took = cell.elapsedMs === null ? '' : ` after ${durationText(cell.elapsedMs)}`;
    const why = failed?.kind === 'error' ? `: ${failed.name}: ${failed.message}` : '';
    this.told.textContent = `Cell ${cell.number} ${how}${took}${why}`.slice(0, 300);
  }

  /** Keys outside of the code: j k choose, Enter edits, b adds a cell, i i interrupts. */
  onKey(key: string): boolean {
    const { notebook } = this.options;
    const at = this.selected === null ? -1 : notebook.cells.indexOf(this.selected);
    if (key === 'j' || key === 'ArrowDown' || key === 'k' || key === 'ArrowUp') {
      const step = key === 'j' || key === 'ArrowDown' ? 1 : -1;
      const next = notebook.cells[Math.min(notebook.cells.length - 1, Math.max(0, at + step))];
      this.select(next ?? null);
      if (next) this.views.get(next.key)?.el.scrollIntoView({ block: 'nearest' });
    } else if (key === 'Enter' && this.selected) this.edit(this.selected);
    else if (key === 'b' && this.selected && notebook.death === null) this.edit(notebook.insert(this.selected));
    else if (key === 'i') this.interruptKey();
    else return false;
    return true;
  }
}
