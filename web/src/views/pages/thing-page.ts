import { html, render, type TemplateResult } from 'lit-html';
import { bytesText, percentText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { BYTE_STEPS, Chart, column, RATIO_STEPS } from '../widgets/chart.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';

const HISTORY_MS = 60 * 60_000;

/** What tells a page of a host from a page of an instance. */
export interface ThingWords {
  kind: 'host' | 'instance';
  memoryTitle: string;
  /** Top of the memory chart, bytes; null while it is not known. */
  memoryTop: () => number | null;
  /** Says what lines will appear here, while there is none. */
  noLines: string;
  /** What stands between the curves and the lines. */
  beside?: HTMLElement[];
}

/** A page of one thing: its head, its curves of the last hour, its own lines. */
export abstract class ThingPage extends Page<PageDeps> {
  declare head: HTMLElement;
  declare charts: Chart[];
  declare panel: LinesPanel;

  abstract headTemplate(): TemplateResult;

  /** Puts the parts together; called once by the page's `initialize`. */
  build({ kind, memoryTitle, memoryTop, noLines, beside = [] }: ThingWords): void {
    this.el.classList.add('page-thing');
    const { deps, subject } = this;
    this.head = document.createElement('div');
    this.head.className = 'thing-head';
    const history = () => deps.history.of(subject);
    const chart = { parent: this, deps };
    this.charts = [
      new Chart({
        ...chart,
        title: 'CPU',
        colour: 'wv-curve-cpu',
        format: percentText,
        steps: RATIO_STEPS,
        max: () => 1,
        read: () => column(history(), 'cpuRatio'),
      }),
      new Chart({
        ...chart,
        title: memoryTitle,
        colour: 'wv-curve-memory',
        format: bytesText,
        steps: BYTE_STEPS,
        max: memoryTop,
        read: () => column(history(), 'memoryUsedBytes'),
      }),
    ];
    const figures = document.createElement('div');
    figures.className = 'charts';
    figures.append(...this.charts.map((one) => one.el));
    this.panel = new LinesPanel({
      parent: this,
      deps,
      source: deps.lines({ [kind]: subject }),
      label: `Lines of this ${kind}`,
      hide: [kind],
      addFilter: (field, value, exclude) => {
        const q = `${exclude ? '-' : ''}${field}:"${value.replaceAll(/["\\]/g, '\\$&')}"`;
        deps.go(`/live?${new URLSearchParams({ [kind]: subject, q })}`);
      },
      emptyText: () => html`<h2>No line yet</h2><p>${noLines}</p>`,
    });
    const lines = document.createElement('div');
    lines.className = 'thing-lines';
    const title = document.createElement('div');
    title.className = 'section-title';
    render(html`<h2>Lines</h2><a href="#/live?${kind}=${subject}">${icon('live')} Open in Live</a>`, title);
    lines.append(title, this.panel.draw().el);
    this.el.append(this.head, figures, ...beside, lines);
    this.every(1_000, () => this.redraw());
    void deps.curve(kind, subject, deps.nowMs() - HISTORY_MS).then(() => this.redraw());
  }

  override onKey(key: string): boolean {
    return this.panel.onKey(key);
  }

  override draw(): this {
    render(this.headTemplate(), this.head);
    for (const chart of this.charts) chart.draw();
    document.title = `${this.title()} · WebVirt`;
    return this;
  }
}
