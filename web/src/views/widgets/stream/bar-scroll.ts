import {
  barPx,
  barScale,
  jumpTo,
  positionPx,
  type StreamGeometry,
  scrollBy,
  toBottom,
  toTop,
} from './stream-layout.ts';

/** Ties a browser's scrollbar to a stream of any length. */
export interface BarScroll {
  /** The upper edge of the view inside the scrolled element. */
  topPx(): number;
  /** Sets length and place of the scrollbar. While the reader scrolls it is left alone, unless `now`. */
  sync(g: StreamGeometry, now: boolean): void;
  /** Takes over what the reader scrolled. Pixels, 0 when it was not the reader. */
  take(g: StreamGeometry): number;
}

/** So long after the last movement a wheel or a finger is still at it. */
const BUSY_MS = 140;
/**
 * A view that follows stands at the end of the bar, whatever its length: that is set right so seldom. To move a scrolled
 * element costs a layout of its own in every frame.
 */
const FOLLOW_MS = 200;

/**
 * Short ways (wheel, finger, page keys) move by pixels, over rows of whatever height; long ways (the bar was dragged) go
 * to that share of the whole. The bar is set right when the reader rests: set earlier, it would fight the wheel.
 */
export function createBarScroll(scroller: HTMLElement, space: HTMLElement, onRest: () => void): BarScroll {
  let topPx = 0;
  let heightPx = 0;
  let scale = 1;
  let viewPx = 0;
  let busyUntilMs = 0;
  let followUntilMs = 0;
  let waiting = false;

  function wait(ms: number): void {
    waiting = true;
    setTimeout(rest, ms);
  }

  function rest(): void {
    waiting = false;
    const leftMs = Math.max(busyUntilMs, followUntilMs) - performance.now();
    if (leftMs > 0) wait(leftMs + 5);
    else onRest();
  }

  return {
    topPx: () => topPx,
    sync(g, now) {
      const height = barPx(g);
      const nowMs = performance.now();
      const stands = viewPx === g.viewPx && heightPx > viewPx && topPx >= heightPx - viewPx - 1;
      if (now && stands && height > heightPx && nowMs < followUntilMs) {
        if (!waiting) wait(followUntilMs - nowMs);
        return;
      }
      viewPx = g.viewPx;
      followUntilMs = now ? nowMs + FOLLOW_MS : 0;
      if (height !== heightPx) {
        heightPx = height;
        space.style.height = `${height}px`;
      }
      scale = barScale(g);
      const wanted = Math.max(0, Math.min(positionPx(g) / scale, height - g.viewPx));
      if (Math.abs(wanted - topPx) < 1) return;
      const atEdge = topPx <= 0 || topPx >= height - g.viewPx;
      if (!now && !atEdge && nowMs < busyUntilMs) {
        if (!waiting) wait(BUSY_MS);
        return;
      }
      scroller.scrollTop = wanted;
      // What the browser made of it: whole device pixels, and not beyond the end.
      topPx = scroller.scrollTop;
    },
    take(g) {
      const top = scroller.scrollTop;
      const px = top - topPx;
      if (Math.abs(px) < 1) return 0;
      topPx = top;
      busyUntilMs = performance.now() + BUSY_MS;
      if (Math.abs(px) <= 3 * g.viewPx) scrollBy(g, px);
      else if (top <= 0) toTop(g);
      else if (top >= heightPx - g.viewPx - 1) toBottom(g);
      else jumpTo(g, top * scale);
      return px;
    },
  };
}
