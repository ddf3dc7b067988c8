import { html, type TemplateResult } from 'lit-html';
import type { HistogramSource } from '../../models/histogram-source.ts';
import { filterOf, formatLogParams, type LogParams, parseLogParams, withTerm } from '../../models/log-filter.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { Page } from '../base/page.ts';
import { FilterBar } from '../widgets/filter-bar.ts';
import { FleetPanel } from '../widgets/fleet-panel.ts';
import { HistogramView } from '../widgets/histogram-view.ts';
import { LinesPanel } from '../widgets/lines-panel.ts';

const OWN_FILTERS = new Set(['host', 'source', 'instance', 'job', 'session', 'level']);

/** The first screen: every line now, with the fleet beside it. The address holds filter and range, nothing else does. */
export class LivePage extends Page<PageDeps> {
  declare params: LogParams;
  declare bar: FilterBar;
  declare panel: LinesPanel;
  declare counts: HistogramSource;
  declare histogram: HistogramView;
  declare fleet: FleetPanel;
  declare main: HTMLElement;

  override initialize(): void {
    this.el.classList.add('page-live');
    this.params = parseLogParams(this.query);
    this.main = document.createElement('div');
    this.main.className = 'live-main';
    this.el.append(this.main);
    this.bar = new FilterBar({ parent: this, deps: this.deps, params: this.params });
    this.listenTo(this.bar, 'pause', () => this.panel.onKey(' '));
    this.main.append(this.bar.draw().el);
    this.open();
  }

  override title(): string {
    return 'Live';
  }

  override updateQuery(query: string): boolean {
    const params = parseLogParams(query);
    if (formatLogParams(params) === formatLogParams(this.params)) return true;
    this.params = params;
    this.close();
    this.open();
    this.bar.show(params);
    return true;
  }

  override onKey(key: string): boolean {
    return this.panel.onKey(key);
  }

  /** Builds stream and counts for the present parameters. */
  open(): void {
    const source = this.deps.lines(this.params);
    this.counts = this.deps.histograms(this.params);
    this.histogram = new HistogramView({
      parent: this,
      deps: this.deps,
      histogram: this.counts.histogram,
      onSelect: (fromMs, toMs) => this.go({ ...this.params, fromMs, toMs }),
    });
    this.panel = new LinesPanel({
      parent: this,
      deps: this.deps,
      source,
      label: 'Lines of all hosts',
      addFilter: (field, value, exclude) => this.addFilter(field, value, exclude),
      emptyText: () => this.emptyText(),
    });
    this.fleet = new FleetPanel({ parent: this, deps: this.deps, histogram: this.counts.histogram });
    // The backlog is in the stored counts already; only what comes after it is added.
    this.listenTo(source.window, 'rows', (lines, backlog) => backlog || this.counts.addLive(lines));
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
    this.main.append(this.histogram.el, this.panel.draw().el);
    this.el.append(this.fleet.draw().el);
  }

  close(): void {
    this.stopListening(this.panel.options.source.window);
    this.stopListening(this.panel);
    this.histogram.destroy();
    this.panel.destroy();
    this.fleet.destroy();
    this.counts.close();
  }

  go(params: LogParams): void {
    const query = formatLogParams(params);
    this.deps.go(query === '' ? '/live' : `/live?${query}`);
  }

  /** A value of a line was clicked: plain choices become filters of their own, the rest becomes a term of `q`. */
  addFilter(field: string, value: string, exclude: boolean): void {
    const own = OWN_FILTERS.has(field);
    if (own && !exclude) this.go({ ...this.params, [field]: value });
    else this.go({ ...this.params, q: withTerm(this.params.q, field, value, exclude) });
  }

  emptyText(): TemplateResult {
    const filtered = Object.keys(filterOf(this.params)).length > 0;
    if (filtered || this.params.fromMs !== undefined) {
      return html`<h2>No line matches</h2>
        <p>${this.params.fromMs === undefined ? 'New lines that match will appear here at once.' : 'Nothing was stored in this range that matches.'}</p>
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
