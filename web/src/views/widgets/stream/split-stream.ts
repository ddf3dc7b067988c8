import { html, type TemplateResult } from 'lit-html';
import { type LogParams, parseLogParams } from '../../../models/log-filter.ts';
import type { PageDeps } from '../../../models/page-deps.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { LinesPanel } from '../lines-panel.ts';
import type { LogStream } from './log-stream.ts';
import { SplitBar } from './split-bar.ts';

export interface SplitStreamOptions extends ViewOptions {
  deps: PageDeps;
  /** Parameters of the first stream: its range holds for this one too. */
  params: LogParams;
  /** The first stream. */
  beside: LogStream;
  /** The filter of this one was changed; null: it was closed. */
  onChange: (query: string | null) => void;
}

/** A second stream with a filter of its own on the same time axis: both scroll together, and share one cursor. */
export class SplitStream extends View<SplitStreamOptions> {
  declare bar: SplitBar;
  declare panel: LinesPanel;

  override preinitialize(options: SplitStreamOptions): void {
    super.preinitialize(options);
    this.className = 'split-second';
  }

  override initialize(): void {
    const { deps, params, beside, onChange } = this.options;
    const own = parseLogParams(params.beside ?? '');
    const range = {
      ...(params.fromMs === undefined ? {} : { fromMs: params.fromMs }),
      ...(params.toMs === undefined ? {} : { toMs: params.toMs }),
    };
    this.bar = new SplitBar({ parent: this, params: own, onChange });
    const { bar } = this;
    this.panel = new LinesPanel({
      parent: this,
      deps,
      source: deps.lines({ ...own, ...range }),
      label: 'Lines of the second filter',
      addFilter: (field, value, exclude) => bar.add(field, value, exclude),
      emptyText: () => this.emptyText(),
    });
    this.listenTo(this.panel.options.source.window, 'state', () => bar.fail(this.panel.options.source.window.error));
    this.el.append(bar.draw().el, this.panel.draw().el);
    this.tie(beside, this.panel.stream);
    this.tie(this.panel.stream, beside);
  }

  /** Where one stream is moved to, the other follows; what is under the pointer here is marked there. */
  tie(one: LogStream, other: LogStream): void {
    let following = one.following;
    this.listenTo(one, 'moved', () => {
      const tsMs = one.topMs();
      if (tsMs !== null && one.scroller.matches(':hover, :focus-within')) other.showTime(tsMs);
    });
    this.listenTo(one, 'hover', (tsMs: number | null) => other.setCursor(tsMs));
    this.listenTo(one, 'pause', () => {
      if (one.following === following) return;
      following = one.following;
      if (following && !other.following) other.resume();
      else if (!following && other.following) other.pause(one.byScroll);
    });
  }

  emptyText(): TemplateResult {
    return html`<h2>No line matches</h2><p>Choose a filter for this side above.</p>`;
  }
}
