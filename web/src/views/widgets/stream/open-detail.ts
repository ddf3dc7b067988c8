import { nothing, render } from 'lit-html';
import type { Line } from '../../../../../common/model/line.ts';
import { isMarker, type StreamRow } from '../../../models/line-ring.ts';
import { type DetailActions, lineDetail } from './line-detail.ts';
import { rowHeight, type StreamGeometry } from './stream-layout.ts';

/** The one open detail of a stream: what is drawn in it, and where it stands. */
export interface OpenDetail {
  /** Shows the detail of a row below it; false for what has none. */
  open(g: StreamGeometry, row: StreamRow | undefined, number: number): boolean;
  close(g: StreamGeometry): void;
  place(g: StreamGeometry, basePx: number): void;
  measure(g: StreamGeometry): void;
}

export function createOpenDetail(el: HTMLElement, actions: DetailActions, onChange: () => void): OpenDetail {
  let line: Line | null = null;
  /** Paths of objects that the reader closed. */
  const closed = new Set<string>();

  function draw(): void {
    if (line === null) return;
    const toggle = (path: string) => {
      if (!closed.delete(path)) closed.add(path);
      draw();
      onChange();
    };
    render(lineDetail(line, actions, { closed, toggle }), el);
  }

  function close(g: StreamGeometry): void {
    if (line === null) return;
    line = null;
    g.open = null;
    g.openPx = 0;
    el.hidden = true;
    render(nothing, el);
  }

  return {
    close,
    open(g, row, number) {
      if (row === undefined || isMarker(row)) {
        close(g);
        return false;
      }
      if (line?.id !== row.id) closed.clear();
      line = row;
      draw();
      el.hidden = false;
      g.open = number;
      g.openPx = el.offsetHeight;
      return true;
    },
    place(g, basePx) {
      if (g.open === null) return;
      el.style.transform = `translateY(${Math.round(basePx + yOf(g, g.open) + rowHeight(g, g.open))}px)`;
    },
    measure(g) {
      if (g.open !== null) g.openPx = el.offsetHeight;
    },
  };
}

/** Where a row stands, from the upper edge of the view; far away is far enough. */
function yOf(g: StreamGeometry, number: number): number {
  if (Math.abs(number - g.top) > 2_000) return (number - g.top) * g.meanPx;
  let y = 0 - g.hiddenPx;
  for (let n = g.top; n < number; n += 1) y += rowHeight(g, n) + (n === g.open ? g.openPx : 0);
  for (let n = g.top - 1; n >= number; n -= 1) y -= rowHeight(g, n) + (n === g.open ? g.openPx : 0);
  return y;
}
