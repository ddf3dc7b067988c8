import type { TemplateResult } from 'lit-html';
import { cancelFrame } from '../../../dom/frame.ts';
import { isMarker, type Marker } from '../../../models/line-ring.ts';
import type { LineWindow } from '../../../models/line-window.ts';
import { ShownRows } from '../../../models/shown-rows.ts';
import type { Column, StreamLook } from '../../../models/stream-look.ts';
import { View, type ViewOptions } from '../../base/view.ts';
import { type BarScroll, createBarScroll } from './bar-scroll.ts';
import type { DetailActions } from './line-detail.ts';
import { createOpenDetail, type OpenDetail } from './open-detail.ts';
import type { RowView } from './row-dom.ts';
import { createRowPool, type RowPool } from './row-pool.ts';
import { createStreamEnds, type StreamEnds } from './stream-ends.ts';
import { columnsOf, drawColumns, streamFrame } from './stream-frame.ts';
import * as layout from './stream-layout.ts';

export interface LogStreamOptions extends ViewOptions {
  window: LineWindow;
  look: StreamLook;
  actions: DetailActions;
  nowMs: () => number;
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

const SPARE_ROWS = 8;
const MOST_PASSES = 4;
/** The bar of a paused stream stands over its lower edge. */
const FOOT_PX = 62;
const NARROW = '(max-width: 640px)';
const ROW_PX = { compact: 18, normal: 22, roomy: 30 };
const NARROW_PX = { compact: 38, normal: 42, roomy: 50 };

/**
 * What a stream draws: any number of rows in a few elements, one drawing per frame, as the look says. What the reader does with
 * it is in `LogStream`.
 */
export abstract class StreamBase extends View<LogStreamOptions> {
  declare window: LineWindow;
  declare rows: ShownRows;
  declare pool: RowPool;
  declare bar: BarScroll;
  declare scroller: HTMLElement;
  declare columns: HTMLElement;
  declare geometry: layout.StreamGeometry;
  declare detail: OpenDetail;
  declare following: boolean;
  /** Paused by scrolling: coming back to the bottom resumes; a pause by button or key does not end by itself. */
  declare byScroll: boolean;
  declare selected: number | null;
  declare pausedAt: number | null;
  declare cursor: number | null;
  /** Paused, but lines that came meanwhile stand below: the reader goes on where the pause began. */
  declare reading: boolean;
  declare seenAppended: number;
  declare topId: string | null;
  declare widthPx: number;
  declare view: RowView;
  declare ends: StreamEnds;

  /** Stops following, so that what is read stays. */
  abstract pause(byScroll?: boolean): void;

  override preinitialize(options: LogStreamOptions): void {
    super.preinitialize(options);
    this.className = 'stream';
    this.window = options.window;
    this.rows = new ShownRows(options.window);
    this.following = options.live;
    this.byScroll = false;
    this.selected = null;
    this.pausedAt = null;
    this.cursor = null;
    this.reading = false;
    this.seenAppended = 0;
    this.topId = null;
    this.widthPx = 0;
    this.geometry = layout.newGeometry(ROW_PX.normal);
  }

  override initialize(): void {
    const frame = streamFrame(this.options.label);
    this.el.append(frame.columns, frame.scroller, frame.empty);
    this.scroller = frame.scroller;
    this.columns = frame.columns;
    this.ends = createStreamEnds({
      window: this.window,
      head: frame.head,
      empty: frame.empty,
      loadOlder: this.options.loadOlder,
      emptyText: this.options.emptyText,
      onOlder: () => this.pause(true),
    });
    this.bar = createBarScroll(this.scroller, frame.space, () => this.redraw());
    this.detail = createOpenDetail(frame.detail, this.options.actions, () => this.redraw());
    this.pool = createRowPool(frame.space, () => this.view);
    this.readLook();
    if (this.options.look.state.fold) this.rows.fold(true);
    this.listenTo(this.options.look, 'change', this.onLook);
    this.listenTo(this.rows, 'rows state', this.redraw);
    this.listenTo(this.rows, 'reshape', this.onReshape);
    const sizes = new ResizeObserver(() => this.measure());
    sizes.observe(this.scroller);
    sizes.observe(frame.detail);
    this.cleanup(() => sizes.disconnect());
    const narrow = window.matchMedia(NARROW);
    const onNarrow = () => this.onLook();
    narrow.addEventListener('change', onNarrow);
    this.cleanup(() => narrow.removeEventListener('change', onNarrow));
    // Ages grow by themselves.
    this.every(1_000, () => {
      if (this.view.times !== 'ago') return;
      this.pool.refill();
      this.redraw();
    });
  }

  readLook(): void {
    const { look, actions, nowMs, hide } = this.options;
    const { wrap, density, times } = look.state;
    const columns = columnsOf(look, hide ?? [], this.widthPx);
    const shown = new Set(columns.map(({ field }: Column) => field));
    this.view = { columns, shown, times, wrap, nowMs, instanceName: actions.instanceName };
    const narrow = window.matchMedia(NARROW).matches;
    const g = this.geometry;
    g.rowPx = (narrow ? NARROW_PX : ROW_PX)[density];
    g.headPx = g.rowPx;
    g.meanPx = g.rowPx;
    g.tall.clear();
    this.el.classList.toggle('is-wrapped', wrap);
    this.el.style.setProperty('--row', `${g.rowPx}px`);
    this.el.style.setProperty('--cols', [...columns.map(({ px }: Column) => `${px}px`), 'minmax(0, 1fr)'].join(' '));
    const kept = columns.filter(({ field }: Column) => field === 'time' || field === 'level').length;
    this.el.style.setProperty('--special', String(kept + 1));
    drawColumns(this.columns, columns, look);
  }

  onLook(): void {
    this.readLook();
    this.pool.rebuild();
    const { fold } = this.options.look.state;
    if (fold !== this.rows.folding) this.rows.fold(fold);
    this.measure();
  }

  override draw(): this {
    cancelFrame(this);
    const { ring } = this.rows;
    const g = this.geometry;
    g.first = ring.first;
    if (this.following || this.reading || !this.options.live) g.end = ring.end;
    else g.end = Math.max(Math.min(g.end, ring.end), g.first);
    g.footPx = this.following || !this.options.live ? 0 : FOOT_PX;
    if (g.open !== null && g.open < g.first) this.detail.close(g);
    this.place();
    this.detail.place(g, this.bar.topPx());
    this.ends.draw();
    // Out of sight it rests where it is.
    this.ends.place(this.bar.topPx() - Math.min(layout.positionPx(g), g.viewPx));
    const top = ring.at(g.top);
    this.topId = top === undefined || isMarker(top) ? null : top.id;
    if (!this.following) this.trigger('pause');
    return this;
  }

  /** Puts the rows where they belong; rows that wrap are measured, and placed again when they were guessed wrong. */
  place(): void {
    const g = this.geometry;
    const marks = {
      selected: this.selected,
      open: g.open,
      pausedAt: this.reading ? this.pausedAt : null,
      cursor: this.cursor,
    };
    for (let pass = 0; pass < MOST_PASSES; pass += 1) {
      if (this.following) layout.toBottom(g);
      else layout.clamp(g);
      this.bar.sync(g, this.following);
      this.pool.show(this.rows.ring, layout.visibleRows(g, this.following ? 1 : SPARE_ROWS), this.bar.topPx(), marks);
      if (!this.view.wrap || !layout.takeHeights(g, this.pool.measure())) return;
    }
  }

  onReshape(change: { before: number; anew?: boolean }): void {
    const g = this.geometry;
    const { ring } = this.rows;
    g.first = ring.first;
    if (change.anew || this.following || !this.options.live) g.end = ring.end;
    if (ring.length === 0) this.ends.reset();
    if (change.anew) {
      const top = this.topId === null ? null : this.rows.numberOf(this.topId);
      Object.assign(this, { selected: null, pausedAt: null, cursor: null });
      this.detail.close(g);
      g.tall.clear();
      if (top !== null) g.top = top;
    }
    this.pool.refill();
    this.redraw();
  }

  measure(): void {
    const g = this.geometry;
    const { clientWidth, clientHeight } = this.scroller;
    g.viewPx = clientHeight;
    if (this.widthPx !== clientWidth) {
      this.widthPx = clientWidth;
      const { look, hide } = this.options;
      if (columnsOf(look, hide ?? [], clientWidth).length !== this.view.columns.length) {
        this.readLook();
        this.pool.rebuild();
      } else if (this.view.wrap) {
        // Rows wrap elsewhere now: those in view are measured again.
        g.tall.clear();
        this.pool.refill();
      }
    }
    this.detail.measure(g);
    this.redraw();
  }
}
