import { html, nothing, render, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../../common/pure/visible-text.ts';
import { durationText, spanText } from '../../../dom/format.ts';
import { icon } from '../../../dom/icons.ts';
import { type Cell, isBusy, isChanged } from '../../../models/compute/cell.ts';
import type { CellOutput, OutputPart } from '../../../models/compute/cell-output.ts';
import type { Notebook } from '../../../models/compute/notebook.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { CodeEditor } from './code-editor.ts';
import { outputParts } from './output-parts.ts';
import { saveFile } from './picture.ts';
import { resultFigure } from './result-figure.ts';

export interface CellViewOptions extends ViewOptions {
  deps: Pick<PageDeps, 'compute' | 'copy' | 'nowMs'>;
  notebook: Notebook;
  cell: Cell;
  typeset: () => boolean;
  run: (cell: Cell, then: 'next' | 'stay' | 'insert') => void;
  interruptKey: () => void;
  leave: (cell: Cell, direction: -1 | 1) => boolean;
}

const WORDS: Record<Cell['state'], string> = {
  draft: '',
  sending: 'sending…',
  queued: 'waiting for its turn',
  running: 'running',
  ok: 'done',
  error: 'failed',
  interrupted: 'interrupted',
  died: 'died with the session',
};

const STREAM_MS = 100;
/** Nearer to the end than this, a box of text goes along with what comes. */
const NEAR_END_PX = 24;

/** One cell: its code, how its latest run went, what it brought. */
export class CellView extends View<CellViewOptions> {
  declare editor: CodeEditor;
  declare side: HTMLElement;
  declare foot: HTMLElement;
  declare output: HTMLElement;
  declare figures: Map<number, HTMLElement>;
  declare toggled: Set<number>;
  /** The output that `figures` and `toggled` are of. */
  declare shown: CellOutput | null;
  declare waiting: ReturnType<typeof setTimeout> | undefined;
  declare drawnMs: number;

  override preinitialize(options: CellViewOptions): void {
    super.preinitialize(options);
    this.tagName = 'section';
    this.className = 'cell';
    this.figures = new Map();
    this.toggled = new Set();
    this.shown = null;
    this.drawnMs = 0;
  }

  override initialize(): void {
    const { options } = this;
    const { cell, notebook } = options;
    const part = (name: string) => {
      const el = document.createElement('div');
      el.className = name;
      return el;
    };
    [this.side, this.foot, this.output] = [part('cell-side'), part('cell-foot'), part('cell-output')];
    this.editor = new CodeEditor({
      parent: this,
      code: () => cell.code,
      label: 'Code',
      onChange: (code) => {
        notebook.setCode(cell, code);
        this.redraw();
      },
      onRun: (then) => options.run(cell, then),
      onInterrupt: () => options.interruptKey(),
      onLeave: (direction) => options.leave(cell, direction),
      complete: (code, cursor) => options.deps.compute.complete(notebook.id, code, cursor),
    });
    const main = part('cell-main');
    main.append(this.editor.el, this.foot, this.output);
    this.el.append(this.side, main);
    this.output.setAttribute('role', 'group');
    this.cleanup(() => clearTimeout(this.waiting));
  }

  /** Something came. While it streams it is drawn ten times a second: laying out long text costs more than it brings. */
  changed(): void {
    if (this.options.cell.state !== 'running') {
      this.redraw();
      return;
    }
    if (this.waiting !== undefined) return;
    const sinceMs = performance.now() - this.drawnMs;
    this.waiting = setTimeout(
      () => {
        this.waiting = undefined;
        this.redraw();
      },
      Math.max(0, STREAM_MS - sinceMs),
    );
  }

  focus(): void {
    this.editor.focus();
    this.el.scrollIntoView({ block: 'nearest' });
  }

  /** Results are set anew: as LaTeX, or as text. */
  resetFigures(): void {
    this.figures.clear();
    this.draw();
  }

  figure(part: Extract<OutputPart, { kind: 'data' }>): HTMLElement {
    const known = this.figures.get(part.id);
    if (known !== undefined) return known;
    const { cell, typeset, deps } = this.options;
    const context = { label: `Cell ${cell.number ?? ''}`, typeset: typeset(), copy: deps.copy };
    const made = resultFigure(part.data, part.role, context);
    this.figures.set(part.id, made);
    return made;
  }

  async saveAll(): Promise<void> {
    const { cell, notebook, deps } = this.options;
    if (cell.number === null) return;
    const text = await deps.compute.written(notebook.id, cell.number);
    saveFile(`cell-${cell.number}.txt`, new Blob([text], { type: 'text/plain' }));
  }

  override draw(): this {
    if (this.destroyed) return this;
    const { cell } = this.options;
    if (this.shown !== cell.output) {
      this.shown = cell.output;
      this.figures.clear();
      this.toggled.clear();
    }
    const name = cell.number === null ? 'New cell' : `Cell ${cell.number}`;
    this.el.className = `cell is-${cell.state}${isBusy(cell) ? ' is-busy' : ''}${this.el.classList.contains('is-selected') ? ' is-selected' : ''}`;
    this.el.setAttribute('aria-label', `${name}${WORDS[cell.state] ? `, ${WORDS[cell.state]}` : ''}`);
    this.output.setAttribute('aria-label', `Output of ${name.toLowerCase()}`);
    this.output.hidden = cell.output.empty;
    render(this.sideTemplate(), this.side);
    render(this.footTemplate(), this.foot);
    this.foot.hidden = cell.number === null && cell.state === 'draft' && cell.refused === null;
    const parts = outputParts(cell.output, {
      figure: (part) => this.figure(part),
      isOpen: (part) => this.toggled.has(part.id),
      toggle: (part) => {
        if (!this.toggled.delete(part.id)) this.toggled.add(part.id);
        this.draw();
      },
      saveAll: () => void this.saveAll(),
    });
    const boxes = () => [...this.output.querySelectorAll<HTMLElement>('.out-stdout, .out-stderr')];
    const left = new Set(boxes().filter((box) => box.scrollHeight - box.scrollTop - box.clientHeight >= NEAR_END_PX));
    render(parts, this.output);
    // Of a flood of displays only some are held; the elements of the others must not be.
    const held = new Set(cell.output.parts.map(({ id }) => id));
    for (const id of this.figures.keys()) if (!held.has(id)) this.figures.delete(id);
    // What was written before this page was opened is read from its beginning.
    if (isBusy(cell)) for (const box of boxes()) if (!left.has(box)) box.scrollTop = box.scrollHeight;
    this.drawnMs = performance.now();
    return this;
  }

  sideTemplate(): TemplateResult {
    const { cell, notebook, run } = this.options;
    const dead = notebook.death !== null;
    return html`<span class="cell-number" aria-hidden="true">${cell.number ?? (cell.state === 'sending' ? '*' : ' ')}</span>
      <button type="button" class="btn btn-icon btn-sm cell-run" title="Run this cell (Ctrl Enter)" aria-label="Run this cell"
        ?disabled=${dead || isBusy(cell)} @click=${() => run(cell, 'stay')}>${icon('play')}</button>`;
  }

  footTemplate(): TemplateResult {
    const { cell, deps, notebook } = this.options;
    const busy = isBusy(cell);
    const took =
      cell.state === 'running' && cell.startedMs !== null
        ? ` for ${spanText(deps.nowMs() - cell.startedMs)}`
        : cell.elapsedMs !== null
          ? cell.state === 'ok'
            ? ` in ${durationText(cell.elapsedMs)}`
            : ` after ${durationText(cell.elapsedMs)}`
          : '';
    const text = cell.output.parts.some(({ kind }) => kind === 'text');
    return html`<span class="cell-state">${busy ? html`<span class="spinner" aria-hidden="true"></span>` : nothing}${WORDS[cell.state]}${took}</span>
      ${cell.actor === null || cell.actor === notebook.session?.owner ? nothing : html`<span class="dim cell-actor">${visibleText(cell.actor)}</span>`}
      ${isChanged(cell) && !busy ? html`<span class="cell-changed">changed since</span>` : nothing}
      ${cell.overtaken ? html`<span class="cell-changed">run by ${visibleText(cell.actor ?? 'somebody')} with other code; yours is still here</span>` : nothing}
      ${cell.refused === null ? nothing : html`<span class="cell-refused" role="alert">${icon('warn')} ${visibleText(cell.refused)}</span>`}
      <span class="cell-tools">
        ${text ? html`<button type="button" class="btn btn-icon btn-sm" title="Copy the output" aria-label="Copy the output" @click=${() => this.copyOutput()}>${icon('copy')}</button>` : nothing}
      </span>`;
  }

  copyOutput(): void {
    const { cell, deps } = this.options;
    const text = cell.output.parts.map((part) => (part.kind === 'text' ? part.run.text : '')).join('');
    deps.copy(text, 'Output');
  }
}
