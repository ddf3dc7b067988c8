import { render, type TemplateResult } from 'lit-html';
import { cancelFrame, inFrame } from '../../../dom/frame.ts';
import { isMarker, type Marker } from '../../../models/line-ring.ts';
import type { LineWindow } from '../../../models/line-window.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { type DetailActions, lineDetail } from './line-detail.ts';
import { createRowPool, type RowPool, titleTime } from './row-pool.ts';
import { createStreamEnds, type StreamEnds } from './stream-ends.ts';
import { streamFrame } from './stream-frame.ts';
import { bottomPx, type StreamGeometry, scrollToShow, topOf, totalPx, visibleRows } from './stream-layout.ts';

export interface LogStreamOptions extends ViewOptions {
  window: LineWindow;
  actions: DetailActions;
  /** Stored pages do not follow anything: no pause, no bar. */
  live: boolean;
  /** Loads older lines; null when there is nothing older to ask for. */
  loadOlder: (() => Promise<void>) | null;
  loadMarker: (marker: Marker) => void;
  /** What to say when there is no line. */
  emptyText: () => TemplateResult;
  label: string;
  /** Columns that say nothing on this page. */
  hide?: ('host' | 'instance')[];
}

const SPARE_ROWS = 4;
const NARROW = '(max-width: 640px)';

/**
 * A stream of lines: any number of rows in a few elements, one drawing per frame, following the newest line until the
 * reader pauses or scrolls up. Events: `pause` whenever following or the count of new lines changed.
 */
export class LogStream extends View<LogStreamOptions> {
  declare window: LineWindow;
  declare pool: RowPool;
  declare scroller: HTMLElement;
  declare space: HTMLElement;
  declare detail: HTMLElement;
  declare geometry: StreamGeometry;
  declare following: boolean;
  /** Paused by scrolling: coming back to the bottom resumes; a pause by button or key does not end by itself. */
  declare byScroll: boolean;
  declare scrollTop: number;
  declare selected: number | null;
  declare seenAppended: number;
  declare ends: StreamEnds;

  override preinitialize(options: LogStreamOptions): void {
    super.preinitialize(options);
    this.className = 'stream';
    this.window = options.window;
    this.following = options.live;
    this.byScroll = false;
    this.scrollTop = 0;
    this.selected = null;
    this.seenAppended = 0;
    const rowPx = window.matchMedia(NARROW).matches ? 42 : 22;
    this.geometry = { rowPx, viewPx: 0, first: 0, end: 0, headPx: rowPx, expanded: null, detailPx: 0 };
  }

  override initialize(): void {
    for (const column of this.options.hide ?? []) this.el.classList.add(`without-${column}`);
    const frame = streamFrame(this.options.label);
    this.el.append(frame.columns, frame.scroller, frame.empty);
    this.scroller = frame.scroller;
    this.space = frame.space;
    this.ends = createStreamEnds({
      window: this.window,
      head: frame.head,
      empty: frame.empty,
      loadOlder: this.options.loadOlder,
      emptyText: this.options.emptyText,
      onOlder: () => this.pause(true),
    });
    this.detail = frame.detail;
    this.pool = createRowPool(this.space, this.options.actions);
    this.listenTo(this.window, 'rows state', this.redraw);
    this.listenTo(this.window, 'reshape', this.onReshape);
    this.scroller.addEventListener('scroll', () => this.onScroll(), { passive: true });
    this.scroller.addEventListener('click', (event) => this.onClick(event));
    this.scroller.addEventListener('mouseover', (event) => titleTime(this.pool, event.target));
    const sizes = new ResizeObserver(() => this.measure());
    sizes.observe(this.scroller);
    sizes.observe(this.detail);
    this.cleanup(() => sizes.disconnect());
    const narrow = window.matchMedia(NARROW);
    const onNarrow = () => this.measure();
    narrow.addEventListener('change', onNarrow);
    this.cleanup(() => narrow.removeEventListener('change', onNarrow));
  }

  /** How many lines came since the pause. */
  newCount(): number {
    return this.following ? 0 : this.window.appended - this.seenAppended;
  }

  pause(byScroll = false): void {
    if (!this.following) {
      if (!byScroll) this.byScroll = false;
      return;
    }
    this.following = false;
    this.byScroll = byScroll;
    this.seenAppended = this.window.appended;
    this.trigger('pause');
    this.redraw();
  }

  resume(): void {
    if (!this.options.live) return;
    this.following = true;
    this.collapse();
    this.selected = null;
    this.trigger('pause');
    this.redraw();
  }

  override draw(): this {
    cancelFrame(this);
    const { ring } = this.window;
    const g = this.geometry;
    const firstBefore = g.first;
    g.first = ring.first;
    if (this.following || !this.options.live) g.end = ring.end;
    else g.end = Math.max(Math.min(g.end, ring.end), g.first);
    if (g.expanded !== null && g.expanded < g.first) this.collapse();
    this.space.style.height = `${totalPx(g)}px`;
    if (this.following) this.scrollTo(bottomPx(g));
    else if (g.first > firstBefore) this.scrollTo(Math.max(0, this.scrollTop - (g.first - firstBefore) * g.rowPx));
    const [from, to] = visibleRows(g, this.scrollTop, SPARE_ROWS);
    this.pool.show(ring, from, to, { top: (n) => topOf(g, n), selected: this.selected, expanded: g.expanded });
    if (g.expanded !== null) this.detail.style.transform = `translateY(${topOf(g, g.expanded) + g.rowPx}px)`;
    this.ends.draw();
    if (!this.following) this.trigger('pause');
    return this;
  }

  /** Moves the selection by `step` rows (j, k); pauses, because a moving row cannot be read. */
  move(step: number): void {
    this.pause();
    const g = this.geometry;
    if (g.end === g.first) return;
    const from = this.selected ?? (step > 0 ? visibleRows(g, this.scrollTop, 0)[0] - 1 : g.end);
    this.selected = Math.min(g.end - 1, Math.max(g.first, from + step));
    this.scroller.setAttribute('aria-activedescendant', `row-${this.selected}`);
    if (g.expanded !== null) this.expand(this.selected);
    this.scrollTo(scrollToShow(g, this.scrollTop, this.selected));
    this.redraw();
  }

  /** Opens the selected row, or closes it. */
  toggleSelected(): void {
    if (this.selected !== null) this.toggle(this.selected);
  }

  /** Opens a row, or closes it when it is the open one. */
  toggle(number: number): void {
    this.pause();
    this.selected = number;
    if (this.geometry.expanded === number) this.collapse();
    else this.expand(number);
    this.redraw();
  }

  collapse(): void {
    this.geometry.expanded = null;
    this.geometry.detailPx = 0;
    this.detail.hidden = true;
  }

  expand(number: number): void {
    const row = this.window.ring.at(number);
    if (row === undefined || isMarker(row)) {
      this.collapse();
      return;
    }
    render(lineDetail(row, this.options.actions), this.detail);
    this.detail.hidden = false;
    this.geometry.expanded = number;
    this.geometry.detailPx = this.detail.offsetHeight;
    inFrame(this.detail, () => this.geometry.expanded === number && this.showWhole(number));
  }

  showWhole(number: number): void {
    this.scrollTo(scrollToShow(this.geometry, this.scrollTop, number));
    this.redraw();
  }

  /** Brings a row to the upper third, opened: where a link to it leads. */
  open(number: number): void {
    this.toggle(number);
    this.space.style.height = `${totalPx(this.geometry)}px`;
    this.scrollTo(Math.max(0, topOf(this.geometry, number) - this.geometry.viewPx / 3));
    this.redraw();
  }

  onReshape(change: { before: number }): void {
    const g = this.geometry;
    g.first = this.window.ring.first;
    g.end = this.window.ring.end;
    this.space.style.height = `${totalPx(g)}px`;
    // Rows put in before the first one push the view down by as much: what is being read stays where it is.
    if (change.before > 0 && !this.following) this.scrollTo(this.scrollTop + change.before * g.rowPx);
    if (this.window.ring.length === 0) this.ends.reset();
    this.pool.refill();
    this.redraw();
  }

  measure(): void {
    const g = this.geometry;
    g.viewPx = this.scroller.clientHeight;
    g.rowPx = window.matchMedia(NARROW).matches ? 42 : 22;
    g.headPx = g.rowPx;
    if (g.expanded !== null) g.detailPx = this.detail.offsetHeight;
    this.redraw();
  }

  scrollTo(top: number): void {
    if (top === this.scrollTop && this.scroller.scrollTop === top) return;
    this.scrollTop = top;
    this.scroller.scrollTop = top;
  }

  onScroll(): void {
    const before = this.scrollTop;
    this.scrollTop = this.scroller.scrollTop;
    const bottom = bottomPx(this.geometry);
    if (this.following && this.scrollTop < Math.min(before, bottom) - this.geometry.rowPx / 2) this.pause(true);
    else if (!this.following && this.byScroll && this.scrollTop >= bottom - 2 && this.scrollTop > before) this.resume();
    if (this.scrollTop < this.geometry.headPx && !this.following) void this.ends.older();
    this.redraw();
  }

  onClick(event: MouseEvent): void {
    if (event.target instanceof Element && event.target.closest('.stream-older') !== null) {
      void this.ends.older();
      return;
    }
    const dom = this.pool.rowAt(event.target);
    if (dom?.row == null || dom.number === null) return;
    // A click that ends a text selection selects text; it must not open the line.
    if (String(document.getSelection() ?? '') !== '') return;
    if (!isMarker(dom.row)) this.toggle(dom.number);
    else if (dom.row.marker !== 'connection') this.options.loadMarker(dom.row);
  }
}
