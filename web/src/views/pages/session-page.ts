import { html, nothing, render, type TemplateResult } from 'lit-html';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { spanText, utcText } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { deathWords } from '../../models/compute/death-words.ts';
import type { Notebook } from '../../models/compute/notebook.ts';
import { SessionModel } from '../../models/compute/sessions.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { NotebookView } from '../widgets/compute/notebook-view.ts';
import { cpuText, memoryMeter, sessionTitle } from '../widgets/compute/session-rows.ts';
import { StopDialog } from '../widgets/compute/stop-dialog.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';
import { stateMark } from '../widgets/marks.ts';

const WIDE = '(min-width: 761px) and (min-height: 620px)';

/** One session: its cells, how it is, how it ended, its lines. */
export class SessionPage extends Page<PageDeps> {
  declare head: HTMLElement;
  declare foot: HTMLElement;
  declare lines: HTMLElement;
  declare notebook: Notebook;
  declare cells: NotebookView;
  declare panel: LinesPanel | null;
  declare hint: string | null;
  declare failure: string | null;

  override initialize(): void {
    this.el.classList.add('page-session');
    const { deps, subject } = this;
    this.hint = null;
    this.failure = null;
    this.panel = null;
    this.head = document.createElement('div');
    this.head.className = 'session-top';
    this.foot = document.createElement('div');
    this.lines = document.createElement('div');
    this.lines.className = 'session-lines';
    const open = deps.compute.open(subject);
    this.notebook = open.notebook;
    this.cells = new NotebookView({ parent: this, deps, notebook: this.notebook });
    this.el.append(this.head, this.cells.draw().el, this.foot, this.lines);
    const lists = deps.compute.watch();
    this.cleanup(() => {
      open.close();
      lists.close();
    });
    this.listenTo(deps.compute.sessions, 'update change loaded', this.redraw);
    this.listenTo(deps.compute.servers, 'update loaded', this.redraw);
    this.listenTo(this.notebook, 'state layout cell', this.redraw);
    this.listenTo(this.notebook, 'state', () => this.showTitle());
    // A new session is there to be typed into; in one with a past the reader reads first.
    this.listenToOnce(this.notebook, 'ready', () => {
      const [first] = this.notebook.cells;
      if (first !== undefined && this.notebook.cells.every(({ number }) => number === null)) this.cells.edit(first);
    });
    this.listenTo(this.cells, 'hint', (hint: string | null) => {
      this.hint = hint;
      this.redraw();
    });
    this.every(1_000, () => this.redraw());
    if (window.matchMedia(WIDE).matches) this.toggleLines();
  }

  session(): SessionModel | undefined {
    const listed = this.deps.compute.sessions.get(this.subject);
    if (listed !== undefined) return listed;
    return this.notebook.session === null ? undefined : new SessionModel(this.notebook.session);
  }

  override title(): string {
    return sessionTitle(this.session(), this.deps.compute.servers);
  }

  showTitle(): void {
    document.title = `${this.title()} · WebVirt`;
  }

  override onKey(key: string): boolean {
    return this.cells.onKey(key);
  }

  toggleLines(): void {
    const { deps, subject } = this;
    this.panel?.destroy();
    if (this.panel !== null) {
      this.panel = null;
      return;
    }
    this.panel = new LinesPanel({
      parent: this,
      deps,
      source: deps.lines({ session: subject }),
      label: 'Lines of this session',
      addFilter: (field, value, exclude) => {
        const q = `${exclude ? '-' : ''}${field}:"${value.replaceAll(/["\\]/g, '\\$&')}"`;
        deps.go(`/live?${new URLSearchParams({ session: subject, q })}`);
      },
      emptyText: () => html`<p>What the manager and the host write about this session appears here.</p>`,
    });
    this.lines.replaceChildren(this.panel.draw().el);
  }

  stop(restart: boolean): void {
    const session = this.session();
    const busy = this.notebook.busyCells().length > 0;
    const go = () => {
      void this.deps.compute.stop(this.subject);
      if (restart) void this.restart();
    };
    if (this.notebook.death !== null) {
      if (restart) void this.restart();
    } else if ((session?.get('cells') ?? 0) === 0 && !busy && !restart) go();
    else new StopDialog({ parent: this, title: this.title(), restart, running: busy, onConfirm: go }).open();
  }

  /** A new session with the same code; on whichever host has room, for the old one may be the trouble. */
  async restart(): Promise<void> {
    const { compute, go } = this.deps;
    const kernel = this.session()?.get('kernel');
    if (kernel === undefined) return;
    const drafts = this.notebook.cells
      .filter(({ code }) => code.trim() !== '')
      .map(({ code }) => ({ after: null, code }));
    this.failure = null;
    try {
      const next = await compute.start({ kernel }, drafts);
      go(`/compute/${encodeURIComponent(next.id)}`);
    } catch (error) {
      this.failure = (error as Error).message;
      this.redraw();
    }
  }

  override draw(): this {
    render(this.headTemplate(), this.head);
    render(this.footTemplate(), this.foot);
    const missing = this.isMissing();
    this.cells.el.hidden = missing;
    this.foot.hidden = missing;
    this.lines.hidden = missing || this.panel === null;
    return this;
  }

  /** There is none of this id; a link that was cut may not even have the form of one. */
  isMissing(): boolean {
    const code = this.notebook.error?.code;
    return this.session() === undefined && (code === 'not-found' || code === 'bad-request');
  }

  headTemplate(): TemplateResult {
    const session = this.session();
    const { notebook } = this;
    const crumbs = html`<nav class="crumbs" aria-label="Path"><a href="#/compute">Compute</a></nav>`;
    if (session === undefined) {
      if (!this.isMissing()) return html`${crumbs}<div class="page-title"><h1>Session</h1></div>`;
      return html`${crumbs}<div class="empty"><h2>There is no such session</h2><p>Sessions and their output are kept for a day after their end.</p><a class="btn btn-quiet" href="#/compute">To the sessions</a></div>`;
    }
    const { compute, nowMs } = this.deps;
    const { hostName, host, owner, createdMs, endedMs } = session.attributes;
    const dead = notebook.death !== null;
    const busy = notebook.busyCells().length;
    return html`${crumbs}
      <div class="page-title"><h1>${this.title()}</h1>${stateMark(dead ? 'dead' : session.get('state')!)}
        <span class="dim">on <a href="#/hosts/${host}">${visibleText(hostName!)}</a>, ${visibleText(owner!)},
          <span title=${utcText(createdMs!)}>${endedMs ? `lived ${spanText(endedMs - createdMs!)}` : spanText(nowMs() - createdMs!)}</span></span>
        ${dead ? nothing : html`<span class="session-use">${memoryMeter(session, compute.servers)}<span class="dim">CPU ${cpuText(session)}</span></span>`}
      </div>
      ${this.toolbar(dead, busy)}
      ${session.get('state') === 'lost' && !dead ? html`<p class="warn-note">${icon('warn')} Its host does not answer. What it brought is below; it goes on when the host is back.</p>` : nothing}
      ${this.failure === null ? nothing : html`<p class="form-error" role="alert">${visibleText(this.failure)}</p>`}
      ${dead ? this.deathNote() : nothing}`;
  }

  toolbar(dead: boolean, busy: number): TemplateResult {
    const { cells, notebook } = this;
    return html`<div class="session-tools" role="toolbar" aria-label="Session">
      <button type="button" class="btn btn-sm btn-quiet" ?disabled=${dead || busy === 0} @click=${() => cells.interrupt()}>${icon('interrupt')} Interrupt${busy > 1 ? ` (${busy - 1} wait)` : ''}</button>
      <button type="button" class="btn btn-sm btn-quiet" ?disabled=${dead || busy > 0 || !notebook.ready} @click=${() => cells.runAll()}>${icon('play')} Run all</button>
      <button type="button" class="btn btn-sm btn-quiet" aria-pressed=${cells.typeset ? 'true' : 'false'} title="Set results that have LaTeX as formulas" @click=${() => {
        cells.setTypeset(!cells.typeset);
        this.draw();
      }}>${icon(cells.typeset ? 'check' : 'plus')} Typeset</button>
      <button type="button" class="btn btn-sm btn-quiet" @click=${() => this.stop(true)}>${icon('restart')} Restart</button>
      ${dead ? nothing : html`<button type="button" class="btn btn-sm btn-danger-quiet" @click=${() => this.stop(false)}>${icon('stop')} Stop</button>`}
      <button type="button" class="btn btn-icon btn-sm" title="Copy a link to this session" aria-label="Copy a link to this session" @click=${() => this.deps.copy(location.href, 'Link')}>${icon('link')}</button>
      <span class="session-hint" role="status">${this.hint ?? ''}</span>
    </div>`;
  }

  deathNote(): TemplateResult {
    const death = this.notebook.death!;
    const { title, advice } = deathWords(death);
    const calm = death.cause === 'terminated' || death.cause === 'exit' || death.cause === 'idle';
    return html`<div class="death ${calm ? 'is-calm' : ''}" role="alert">
      <h2>${icon(calm ? 'stop' : 'warn')} ${title}</h2>
      <p class="death-proof">${visibleText(death.text)}</p><p class="dim">${advice}</p>
      <button type="button" class="btn btn-sm btn-accent" @click=${() => this.stop(true)}>${icon('restart')} Restart with the same cells</button></div>`;
  }

  footTemplate(): TemplateResult {
    const open = this.panel !== null;
    return html`<div class="lines-head"><button type="button" class="btn btn-sm" aria-expanded=${open ? 'true' : 'false'} @click=${() => {
      this.toggleLines();
      this.draw();
    }}>${icon(open ? 'down' : 'chevron')} Lines of this session</button>
      <a href="#/live?session=${encodeURIComponent(this.subject)}">${icon('live')} Open in Live</a></div>`;
  }
}
