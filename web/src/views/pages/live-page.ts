import { html, type TemplateResult } from 'lit-html';
import type { HistogramSource } from '../../models/histogram-source.ts';
import { filterOf, formatLogParams, type LogParams, parseLogParams, withTerm } from '../../models/log-filter.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { FacetsPanel } from '../widgets/facets-panel.ts';
import { FilterBar } from '../widgets/filter-bar.ts';
import { FleetPanel } from '../widgets/fleet-panel.ts';
import { HistogramView } from '../widgets/histogram-view.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';
import type { SplitStream } from '../widgets/stream/split-stream.ts';
import { createLiveTools, type LiveTools } from './live-tools.ts';

const OWN_FILTERS = new Set(['host', 'source', 'instance', 'job', 'session', 'level']);
const WIDE = '(min-width: 1121px)';

/** The first screen: every line now, with facets and fleet beside it. The address holds filter, range and second stream. */
export class LivePage extends Page<PageDeps> {
  declare params: LogParams;
  declare bar: FilterBar;
  declare panel: LinesPanel;
  declare counts: HistogramSource;
  declare histogram: HistogramView;
  declare facets: FacetsPanel | null;
  declare fleet: FleetPanel;
  declare split: SplitStream | null;
  declare streams: HTMLElement;
  declare main: HTMLElement;
  declare tools: LiveTools;

  override initialize(): void {
    this.el.classList.add('page-live');
    this.params = parseLogParams(this.query);
    this.facets = null;
    this.split = null;
    this.main = document.createElement('div');
    this.main.className = 'live-main';
    this.el.append(this.main);
    this.tools = createLiveTools(this);
    this.bar = new FilterBar({ parent: this, deps: this.deps, params: this.params });
    this.listenTo(this.bar, 'pause', () => this.panel.onKey(' '));
    this.listenTo(this.bar, 'all', (name: string) => this.tools.run(name));
    this.main.append(this.bar.draw().el);
    this.open();
  }

  override title(): string {
    return 'Live';
  }

  override updateQuery(query: string): boolean {
    const params = parseLogParams(query);
    if (formatLogParams(params) === formatLogParams(this.params)) return true;
    const same = formatLogParams({ ...params, beside: '' }) === formatLogParams({ ...this.params, beside: '' });
    this.params = params;
    if (same) {
      this.onLook();
      this.openSplit();
    } else {
      this.close();
      this.open();
    }
    this.bar.show(params);
    return true;
  }

  override onKey(key: string): boolean {
    const active = this.split?.el.contains(document.activeElement) ? this.split.panel : this.panel;
    return active.onKey(key) || this.tools.onKey(key);
  }

  /** Builds stream and counts for the present parameters. */
  open(): void {
    const { params, deps } = this;
    // The look that a link brings comes first; from then on the page follows what the reader changes.
    this.stopListening(deps.look);
    if (params.cols !== undefined || params.view !== undefined) deps.look.borrow(params.cols, params.view);
    this.listenTo(deps.look, 'change', this.onLook);
    const source = deps.lines(params);
    this.counts = deps.histograms(params);
    this.histogram = new HistogramView({
      parent: this,
      deps,
      histogram: this.counts.histogram,
      nowMs: source.live ? deps.nowMs : null,
      onSelect: (fromMs, toMs) => this.go({ ...this.params, fromMs, toMs }),
    });
    this.panel = new LinesPanel({
      parent: this,
      deps,
      source,
      label: 'Lines of all hosts',
      addFilter: (field, value, exclude) => this.addFilter(field, value, exclude),
      emptyText: () => this.emptyText(),
    });
    this.fleet = new FleetPanel({ parent: this, deps, histogram: this.counts.histogram });
    this.fleet.el.hidden = !deps.look.state.fleet;
    // The backlog is in the stored counts already; only what comes after it is added.
    this.listenTo(source.window, 'rows', (lines, backlog) => backlog || !source.live || this.counts.addLive(lines));
    this.listenTo(source.window, 'state', () => {
      this.bar.error = source.window.error;
      this.bar.redraw();
    });
    this.listenTo(this.panel, 'pause', () => {
      const { following } = this.panel.stream;
      if (this.bar.following === following) return;
      this.bar.following = following;
      this.bar.redraw();
    });
    this.bar.error = null;
    this.bar.following = true;
    this.streams = document.createElement('div');
    this.streams.className = 'live-streams';
    this.streams.append(this.panel.draw().el);
    this.main.append(this.histogram.el, this.streams);
    this.el.append(this.fleet.draw().el);
    if (params.atMs !== undefined) this.showMoment(params.atMs);
    this.onLook();
    this.openSplit();
  }

  /** Brings a moment into view as soon as lines of it are here. */
  showMoment(atMs: number): void {
    const { window } = this.panel.options.source;
    const show = () => this.panel.stream.showTime(atMs, 0.4);
    this.listenToOnce(window, 'reshape', () => requestAnimationFrame(show));
  }

  close(): void {
    this.stopListening(this.panel.options.source.window);
    this.stopListening(this.panel);
    this.split?.destroy();
    this.split = null;
    this.facets?.destroy();
    this.facets = null;
    this.histogram.destroy();
    this.panel.destroy();
    this.streams.remove();
    this.fleet.destroy();
    this.counts.close();
  }

  /** Facets come and go with the look, and with the room that there is. */
  onLook(): void {
    this.fleet.el.hidden = !this.deps.look.state.fleet;
    const shown = this.deps.look.state.facets ?? (this.params.beside === undefined && window.matchMedia(WIDE).matches);
    if (shown === (this.facets !== null)) return;
    this.facets?.destroy();
    this.facets = null;
    if (!shown) return;
    const { source } = this.panel.options;
    this.facets = new FacetsPanel({
      parent: this,
      deps: this.deps,
      facets: this.deps.facets(this.params),
      window: source.window,
      params: this.params,
      live: source.live,
      addFilter: (field, value, exclude) => this.addFilter(field, value, exclude),
      onClose: () => this.deps.look.set({ facets: false }),
    });
    // Behind the stream for keys and readers, whatever side it stands on.
    this.main.after(this.facets.draw().el);
  }

  /** The second stream, as the address says; its code is loaded when it is first wanted. */
  openSplit(): void {
    const typing = this.split?.bar.typing() ?? null;
    this.split?.destroy();
    this.split = null;
    const { beside } = this.params;
    this.streams.classList.toggle('is-split', beside !== undefined);
    if (beside === undefined) return;
    void this.tools.load().then((kinds) => {
      if (kinds === null || this.destroyed || this.split !== null || this.params.beside !== beside) return;
      const onChange = (query: string | null) => {
        const { beside: _, ...rest } = this.params;
        this.go(query === null ? rest : { ...rest, beside: query });
      };
      this.split = new kinds.SplitStream({
        parent: this,
        deps: this.deps,
        params: this.params,
        beside: this.panel.stream,
        onChange,
      });
      this.streams.append(this.split.el);
      if (typing !== null) this.split.bar.goOn(typing);
    });
  }

  go(params: LogParams): void {
    const query = formatLogParams(params);
    this.deps.go(query === '' ? '/live' : `/live?${query}`);
  }

  /** A value of a line was clicked: plain choices become filters of their own, the rest becomes a term of `q`. */
  addFilter(field: string, value: string, exclude: boolean): void {
    const own = OWN_FILTERS.has(field) && field !== 'level';
    if (own && !exclude)
      this.go({ ...this.params, [field]: this.params[field as keyof LogParams] === value ? '' : value });
    else this.go({ ...this.params, q: withTerm(this.params.q, field, value, exclude) });
  }

  emptyText(): TemplateResult {
    const { source } = this.panel.options;
    if (source.search()?.running)
      return html`<h2>Searching…</h2><p>What is found appears here at once, the newest first.</p>`;
    const filtered = Object.keys(filterOf(this.params)).length > 0;
    if (filtered || !source.live) {
      const looked = source.search()?.complete ? 'Nothing that is stored matches. ' : '';
      return html`<h2>No line matches</h2>
        <p>${source.live ? `${looked}New lines that match will appear here at once.` : 'Nothing was stored in this range that matches.'}</p>
        <a class="btn btn-quiet" href="#/live">Show every line, live</a>`;
    }
    return html`<h2>Waiting for the first line</h2>
      <p>Every line of every host will appear here the moment it is written.</p>
      <a class="btn btn-accent" href="#/hosts">Add a host</a>`;
  }

  override destroy(): void {
    this.counts.close();
    super.destroy();
  }
}
