import type { Line } from '../../../../../common/model/line.ts';
import { isMarker } from '../../../models/line-ring.ts';
import { rowAtTime, timeOfRow } from '../../../models/row-at-time.ts';
import type { FoldedLine } from '../../../models/shown-rows.ts';
import { titleTime } from './row-pool.ts';
import { StreamBase } from './stream-base.ts';
import * as layout from './stream-layout.ts';

/**
 * A stream of lines that follows the newest one until the reader pauses or scrolls up. Events: `pause` whenever following
 * or the count of new lines changed, `moved` when the reader came to another time, `hover` with the time under the pointer.
 */
export class LogStream extends StreamBase {
  override initialize(): void {
    super.initialize();
    this.scroller.addEventListener('scroll', () => this.onScroll(), { passive: true });
    this.scroller.addEventListener('click', (event) => this.onClick(event));
    this.scroller.addEventListener('mouseover', (event) => this.onHover(event));
    this.scroller.addEventListener('mouseleave', () => this.trigger('hover', null));
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
    this.reading = false;
    this.seenAppended = this.window.appended;
    this.pausedAt = this.rows.ring.end - 1;
    this.window.hold(true);
    this.trigger('pause');
    this.redraw();
  }

  /** Jumps to now and follows. */
  resume(): void {
    if (!this.options.live) {
      layout.toBottom(this.geometry);
      this.redraw();
      return;
    }
    this.following = true;
    this.detail.close(this.geometry);
    this.selected = null;
    this.pausedAt = null;
    this.window.hold(false);
    this.trigger('pause');
    this.redraw();
  }

  /** Goes on reading where the pause began: what came meanwhile stands below, and nothing moves. */
  resumeHere(): void {
    if (this.following || !this.options.live) return;
    this.window.hold(false);
    this.reading = true;
    this.byScroll = true;
    this.redraw();
    if (this.pausedAt === null) return;
    // The first of the new lines comes into view, below the line that was the last.
    this.geometry.end = this.rows.ring.end;
    layout.placeRow(this.geometry, this.pausedAt, 0.4);
  }

  /** Moves the selection by `step` rows (j, k); pauses, because a moving row cannot be read. */
  move(step: number): void {
    this.pause();
    const g = this.geometry;
    if (g.end === g.first) return;
    const from = this.selected ?? (step > 0 ? g.top - 1 : g.end);
    this.select(Math.min(g.end - 1, Math.max(g.first, from + step)));
    layout.showRow(g, this.selected!);
    this.trigger('moved');
  }

  select(number: number): void {
    const g = this.geometry;
    this.selected = number;
    this.scroller.setAttribute('aria-activedescendant', `row-${number}`);
    if (g.open !== null) this.detail.open(g, this.rows.ring.at(number), number);
    this.redraw();
  }

  /** The line that keys act on; null when none was chosen. */
  selectedLine(): FoldedLine | null {
    const row = this.selected === null ? undefined : this.rows.ring.at(this.selected);
    return row === undefined || isMarker(row) ? null : (row as Line);
  }

  /** Opens a row, or closes it when it is the open one. */
  toggle(number: number): void {
    this.pause();
    const g = this.geometry;
    this.selected = number;
    if (g.open === number) this.detail.close(g);
    else if (this.detail.open(g, this.rows.ring.at(number), number)) layout.showRow(g, number);
    this.redraw();
  }

  /** Brings a row to the upper third, opened: where a link to it leads. */
  openRow(number: number): void {
    this.toggle(number);
    layout.placeRow(this.geometry, number, 1 / 3);
  }

  /** Brings the rows of a time into view; false when they are not held here. */
  showTime(tsMs: number, share = 0): boolean {
    const number = rowAtTime(this.rows.ring, tsMs);
    if (number === null) return false;
    this.pause(true);
    layout.placeRow(this.geometry, number, share);
    this.redraw();
    return true;
  }

  /** Time of the row at the upper edge. */
  topMs(): number | null {
    return timeOfRow(this.rows.ring, this.geometry.top);
  }

  /** Marks the row of a time: where the cursor of another stream stands. */
  setCursor(tsMs: number | null): void {
    const number = tsMs === null ? null : rowAtTime(this.rows.ring, tsMs);
    if (number === this.cursor) return;
    this.cursor = number;
    this.redraw();
  }

  onScroll(): void {
    const g = this.geometry;
    const px = this.bar.take(g);
    if (px === 0) return;
    if (this.following && px < -g.rowPx / 2 && !this.atEnd()) this.pause(true);
    else if (!this.following && this.byScroll && px > 0 && layout.isAtBottom(g)) this.resume();
    if (g.top === g.first && g.hiddenPx < 0 && !this.following) void this.ends.older();
    if (!this.following) this.trigger('moved');
    this.redraw();
  }

  /** The bar is at its end: a view that grew moved it, not the reader. */
  atEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return scrollTop + clientHeight >= scrollHeight - 1;
  }

  onHover(event: MouseEvent): void {
    titleTime(this.pool, event.target);
    const row = this.pool.rowAt(event.target)?.row;
    if (row != null && !isMarker(row)) this.trigger('hover', row.sortMs ?? row.tsMs);
  }

  onClick(event: MouseEvent): void {
    const { target } = event;
    if (!(target instanceof Element)) return;
    if (target.closest('.stream-older') !== null) return void this.ends.older();
    const dom = this.pool.rowAt(target);
    if (dom?.row == null || dom.number === null) return;
    const key = isMarker(dom.row) ? undefined : (dom.row as FoldedLine).repeats?.key;
    if (key !== undefined && target.closest('.c-count') !== null) {
      this.pause();
      this.rows.toggle(key);
      return;
    }
    if (target.closest('.c-link') !== null) return;
    // A click that ends a text selection selects text; it must not open the line.
    if (String(document.getSelection() ?? '') !== '') return;
    if (!isMarker(dom.row)) this.toggle(dom.number);
    else if (dom.row.marker !== 'connection') this.options.loadMarker(dom.row);
  }
}
