import { html, render, type TemplateResult } from 'lit-html';
import type { Line } from '../../../../common/model/line.ts';
import { dayTimeText, utcText } from '../../dom/format.ts';
import { fixedSource } from '../../models/line-source.ts';
import { LineWindow } from '../../models/line-window.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';

/** One line, open, with the lines around it: where a permalink leads. */
export class LinePage extends Page<PageDeps> {
  declare head: HTMLElement;
  declare window: LineWindow;
  declare panel: LinesPanel;
  declare sameHost: boolean;
  declare line: Line | null;

  override initialize(): void {
    this.el.classList.add('page-thing');
    this.head = document.createElement('div');
    this.head.className = 'thing-head';
    this.window = new LineWindow(2_000);
    this.sameHost = this.query.includes('host=1');
    this.line = null;
    this.panel = new LinesPanel({
      parent: this,
      deps: this.deps,
      source: fixedSource(this.window),
      label: 'Lines around this one',
      addFilter: (field, value, exclude) => {
        const q = `${exclude ? '-' : ''}${field}:"${value.replaceAll(/["\\]/g, '\\$&')}"`;
        this.deps.go(`/live?${new URLSearchParams({ q })}`);
      },
      emptyText: () => html`<h2>Nothing around it</h2>`,
    });
    const lines = document.createElement('div');
    lines.className = 'thing-lines';
    lines.append(this.panel.draw().el);
    this.el.append(this.head, lines);
    void this.load();
  }

  async load(): Promise<void> {
    try {
      const lines = await this.deps.context(this.subject, this.sameHost);
      if (this.destroyed) return;
      this.window.clear();
      this.window.addOlder(lines);
      this.line = lines.find((line) => line.id === this.subject) ?? null;
      const number = this.panel.stream.rows.numberOf(this.subject);
      if (number !== null) this.panel.stream.openRow(number);
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      this.window.fail(code ?? 'internal', message);
    }
    this.redraw();
  }

  override title(): string {
    return 'Line';
  }

  override onKey(key: string): boolean {
    return this.panel.onKey(key);
  }

  override draw(): this {
    render(this.headTemplate(), this.head);
    return this;
  }

  headTemplate(): TemplateResult {
    const { error } = this.window;
    const set = (sameHost: boolean) => {
      this.sameHost = sameHost;
      void this.load();
      this.redraw();
    };
    const seg = (sameHost: boolean, name: string) =>
      html`<button type="button" class="seg" role="radio" aria-checked=${this.sameHost === sameHost ? 'true' : 'false'} @click=${() => set(sameHost)}>${name}</button>`;
    return html`<nav class="crumbs" aria-label="Path"><a href="#/live">Live</a></nav>
      <div class="page-title"><h1>${this.line === null ? 'Line' : dayTimeText(this.line.tsMs)}</h1>
        <span class="dim">${this.line === null ? this.subject : utcText(this.line.tsMs)}</span>
        <div class="title-end"><div class="segments" role="radiogroup" aria-label="Around it">${seg(false, 'All hosts')}${seg(true, 'Its host')}</div></div></div>
      ${error === null ? null : html`<p class="form-error" role="alert">${error.code === 'bad-request' ? 'There is no line of this id.' : error.message} Lines may have been removed by age; <a href="#/live">go to the live stream</a>.</p>`}`;
  }
}
