import { render as drawInto, html, type TemplateResult } from 'lit-html';
import type { Line } from '../../../../common/model/line.ts';
import { countText, dayTimeText, plural } from '../../dom/format.ts';
import { icon } from '../../dom/icons.ts';
import type { LineSource } from '../../models/line-source.ts';
import type { PageDeps } from '../../models/page-deps.ts';
import { View, type ViewOptions } from '../base/view.ts';
import type { DetailActions } from './stream/line-detail.ts';
import { LogStream } from './stream/log-stream.ts';

export interface LinesPanelOptions extends ViewOptions {
  source: LineSource;
  deps: Pick<PageDeps, 'copy' | 'models'>;
  addFilter: DetailActions['addFilter'];
  emptyText: () => TemplateResult;
  label: string;
  hide?: ('host' | 'instance')[];
}

/** A stream with its pause bar and its trouble: what every page that shows lines has in common. Event: `pause`. */
export class LinesPanel extends View<LinesPanelOptions> {
  declare stream: LogStream;
  declare bar: HTMLElement;

  override preinitialize(options: LinesPanelOptions): void {
    super.preinitialize(options);
    this.className = 'lines-panel';
  }

  override initialize(): void {
    const { source, deps } = this.options;
    const link = (line: Line) => `${location.origin}${location.pathname}#/lines/${encodeURIComponent(line.id)}`;
    this.stream = new LogStream({
      parent: this,
      window: source.window,
      live: source.live,
      loadOlder: () => source.loadOlder(),
      loadMarker: (marker) => void source.loadMarker(marker),
      emptyText: this.options.emptyText,
      label: this.options.label,
      ...(this.options.hide ? { hide: this.options.hide } : {}),
      actions: {
        addFilter: this.options.addFilter,
        copyLink: (line) => deps.copy(link(line), 'Link'),
        copyLine: (line) => deps.copy(`${new Date(line.tsMs).toISOString()} ${line.level} ${line.message}`, 'Line'),
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
    const fresh = this.stream.newCount();
    const searched = source.searchedBackToMs();
    return html`
      ${
        !this.stream.following && source.live
          ? html`<button type="button" class="resume-bar ${fresh > 0 ? 'has-new' : ''}" @click=${() => this.stream.resume()}>
              ${icon('pause')}<span>Paused</span>
              <strong>${fresh > 0 ? `+${countText(fresh)} new` : 'nothing new yet'}</strong>
              <span class="resume-hint">Jump to now <kbd>space</kbd></span>
            </button>`
          : null
      }
      ${
        searched === null || source.live
          ? null
          : html`<div class="foot-note">${plural(source.window.ring.length, 'line')} shown, searched back to ${dayTimeText(searched)}. Scroll up for more.</div>`
      }`;
  }

  override draw(): this {
    if (!this.destroyed) drawInto(this.template(), this.bar);
    return this;
  }

  /** Keys of a stream: space, j, k, Enter, G, Escape. */
  onKey(key: string): boolean {
    const { stream } = this;
    if (key === ' ') {
      if (stream.following) stream.pause();
      else stream.resume();
      return this.options.source.live;
    }
    if (key === 'j' || key === 'ArrowDown') stream.move(1);
    else if (key === 'k' || key === 'ArrowUp') stream.move(-1);
    else if (key === 'Enter') stream.toggleSelected();
    else if (key === 'G' || key === 'End') stream.resume();
    else if (key === 'Escape' && stream.geometry.expanded !== null) stream.toggle(stream.geometry.expanded);
    else return false;
    return true;
  }

  override destroy(): void {
    this.options.source.close();
    super.destroy();
  }
}
