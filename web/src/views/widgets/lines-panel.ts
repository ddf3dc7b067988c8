import { render as drawInto, html, type TemplateResult } from 'lit-html';
import type { Line } from '../../../../common/model/line.ts';
import { visibleText } from '../../../../common/pure/visible-text.ts';
import { countText, dayTimeText, plural } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import { withoutAnsi } from '../../models/ansi.ts';
import { placeOf } from '../../models/line-place.ts';
import type { LineSource } from '../../models/line-source.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { DENSITIES, TIMES } from '../../models/stream-look.ts';
import { View, type ViewOptions } from '../base/view.ts';
import type { DetailActions } from './stream/line-detail.ts';
import { LogStream } from './stream/log-stream.ts';
import { toTop } from './stream/stream-layout.ts';
import { unreadableText } from './unreadable-text.ts';

export interface LinesPanelOptions extends ViewOptions {
  source: LineSource;
  deps: Pick<PageDeps, 'copy' | 'models' | 'look' | 'nowMs' | 'go'>;
  addFilter: DetailActions['addFilter'];
  emptyText: () => TemplateResult;
  label: string;
  hide?: ('host' | 'instance')[];
}

const lineHash = (line: Line) => `#/lines/${encodeURIComponent(line.id)}`;

/** A stream with its pause bar, its search and its trouble: what every page that shows lines has in common. Event: `pause`. */
export class LinesPanel extends View<LinesPanelOptions> {
  declare stream: LogStream;
  declare bar: HTMLElement;
  declare loadingNewer: boolean;

  override preinitialize(options: LinesPanelOptions): void {
    super.preinitialize(options);
    this.className = 'lines-panel';
    this.loadingNewer = false;
  }

  override initialize(): void {
    const { source, deps } = this.options;
    const { look } = deps;
    const link = (line: Line) => `${location.origin}${location.pathname}${lineHash(line)}`;
    this.stream = new LogStream({
      parent: this,
      window: source.window,
      look,
      nowMs: deps.nowMs,
      live: source.live,
      loadOlder: () => source.loadOlder(),
      loadMarker: (marker) => void source.loadMarker(marker),
      emptyText: this.options.emptyText,
      label: this.options.label,
      ...(this.options.hide ? { hide: this.options.hide } : {}),
      actions: {
        addFilter: this.options.addFilter,
        hasColumn: (field) => look.has(field),
        toggleColumn: (field) => look.toggleColumn(field),
        copyLink: (line) => deps.copy(link(line), 'Link'),
        copyLine: (line) => deps.copy(lineText(line), 'Line'),
        copyJson: (line) => deps.copy(JSON.stringify(line, null, 2), 'JSON'),
        copyValue: (text) => deps.copy(text, 'Value'),
        instanceName: (id) => deps.models.instances.get(id)?.get('name') ?? id.slice(0, 8),
      },
    });
    this.bar = document.createElement('div');
    this.bar.className = 'stream-foot';
    this.el.append(this.stream.el, this.bar);
    this.listenTo(this.stream, 'pause', () => {
      this.redraw();
      this.trigger('pause');
    });
    this.listenTo(source.window, 'state reshape', this.redraw);
    // Lines may come before the instances: their names are written again once these are here.
    this.listenTo(deps.models.instances, 'loaded', () => this.stream.onReshape({ before: 0 }));
  }

  override template(): TemplateResult {
    const { source } = this.options;
    return html`${!this.stream.following && source.live ? this.pauseBar() : null}${this.searchBar()}`;
  }

  pauseBar(): TemplateResult {
    const fresh = this.stream.newCount();
    const { reading } = this.stream;
    const click = (event: MouseEvent) =>
      event.target instanceof Element && event.target.closest('.resume-here') === null && this.stream.resume();
    return html`<div class="resume-bar ${fresh > 0 ? 'has-new' : ''}" role="group" aria-label="Paused" @click=${click}>
      ${icon('pause')}<strong>${fresh > 0 ? `+${countText(fresh)} new` : 'nothing new yet'}</strong>
      ${
        fresh > 0 && !reading
          ? html`<button type="button" class="resume-here" title="Go on reading where you paused; the new lines follow below (r)" @click=${() => this.stream.resumeHere()}>Go on<i> from here</i> <kbd>r</kbd></button>`
          : null
      }
      <button type="button" class="resume-now" title="Follow the newest line again (space)">Jump to now <kbd>space</kbd></button>
    </div>`;
  }

  /** How far the search in the past is. */
  searchBar(): TemplateResult | null {
    const { source } = this.options;
    const search = source.search();
    const later =
      source.loadNewer === null
        ? null
        : html`<button type="button" class="btn btn-sm btn-quiet" ?disabled=${this.loadingNewer} @click=${() => void this.newer()}>${this.loadingNewer ? 'Loading later lines…' : 'Later lines'} ${icon('down')}</button>`;
    if (search === null) return later === null ? null : html`<div class="foot-note">${later}</div>`;
    const back = search.backToMs === null ? '' : ` back to ${dayTimeText(search.backToMs)}`;
    const found = `${plural(search.found, 'line')} found`;
    if (search.running) {
      return html`<div class="foot-note is-running" role="status"><span class="spinner" aria-hidden="true"></span><span>Searching${back}</span><b>${found}</b>
        <button type="button" class="btn btn-sm btn-quiet" @click=${() => source.cancelSearch()}>Cancel <kbd>Esc</kbd></button></div>`;
    }
    const lost = unreadableText(search.unreadable);
    if (source.live && search.complete && this.stream.following && lost === '') return null;
    const text = search.cancelled
      ? `Cancelled; searched${back}`
      : search.complete
        ? 'Searched everything there is'
        : `Searched${back}`;
    const more = search.complete
      ? null
      : html`<button type="button" class="btn btn-sm btn-quiet" @click=${() => void source.loadOlder()}>Search further</button>`;
    return html`<div class="foot-note" role="status"><span>${text}</span><b>${found}</b>${lost === '' ? null : html`<strong>${lost}</strong>`}${more}${later}</div>`;
  }

  async newer(): Promise<void> {
    const { loadNewer } = this.options.source;
    if (loadNewer === null || this.loadingNewer) return;
    this.loadingNewer = true;
    this.redraw();
    await loadNewer();
    this.loadingNewer = false;
    this.redraw();
  }

  override draw(): this {
    if (!this.destroyed) drawInto(this.template(), this.bar);
    return this;
  }

  /** Keys of a stream; the help dialog lists them. */
  onKey(key: string): boolean {
    const { stream } = this;
    if (key === ' ') {
      if (stream.following) stream.pause();
      else stream.resume();
      return this.options.source.live;
    }
    if (key === 'j' || key === 'ArrowDown') stream.move(1);
    else if (key === 'k' || key === 'ArrowUp') stream.move(-1);
    else if (key === 'Enter') stream.selected !== null && stream.toggle(stream.selected);
    else if (key === 'G' || key === 'End') stream.resume();
    else if (key === 'Home') this.toStart();
    else if (key === 'r') stream.resumeHere();
    else if (key === 'Escape') return this.escape();
    else return this.lookKey(key) || this.lineKey(key);
    return true;
  }

  toStart(): void {
    this.stream.pause(true);
    toTop(this.stream.geometry);
    this.stream.redraw();
  }

  escape(): boolean {
    const { stream } = this;
    if (stream.geometry.open !== null) stream.toggle(stream.geometry.open);
    else if (this.options.source.search()?.running) this.options.source.cancelSearch();
    else return false;
    return true;
  }

  lookKey(key: string): boolean {
    const { look } = this.options.deps;
    const { wrap, fold, density, times } = look.state;
    const next = <T>(all: readonly T[], one: T) => all[(all.indexOf(one) + 1) % all.length]!;
    if (key === 'w') look.set({ wrap: !wrap });
    else if (key === 'u') look.set({ fold: !fold });
    else if (key === 'd') look.set({ density: next(DENSITIES, density) });
    else if (key === 'a') look.set({ times: next(TIMES, times) });
    else return false;
    return true;
  }

  /** Keys that act on the selected line. */
  lineKey(key: string): boolean {
    const line = this.stream.selectedLine();
    if (line === null) return false;
    const { actions } = this.stream.options;
    if (key === 'y') actions.copyLink(line);
    else if (key === 'c') actions.copyLine(line);
    else if (key === 'C') actions.copyJson(line);
    else if (key === 'x') this.options.deps.go(`/lines/${encodeURIComponent(line.id)}`);
    else if (key === 'm') this.options.deps.go(`/rules/new?${new URLSearchParams({ line: line.id })}`);
    else if (key === '+' && line.repeats !== undefined) this.stream.rows.toggle(line.repeats.key);
    else return false;
    return true;
  }

  override destroy(): void {
    this.options.source.close();
    super.destroy();
  }
}

/** A line as one row of text, for a mail or a ticket. */
function lineText(line: Line): string {
  const where = [placeOf(line), line.unit ?? line.source].join(' ');
  return `${new Date(line.tsMs).toISOString()} ${line.level} ${where}: ${visibleText(withoutAnsi(line.message))}`;
}
