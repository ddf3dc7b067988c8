/** State of a stream's viewport; pure numbers, so that it can be tested without a browser. */
export interface StreamGeometry {
  rowPx: number;
  viewPx: number;
  /** First row held and the row behind the last one shown. */
  first: number;
  end: number;
  /** Space above the first row, for "load older". */
  headPx: number;
  expanded: number | null;
  detailPx: number;
}

/** Height of everything that can be scrolled. */
export function totalPx(g: StreamGeometry): number {
  return g.headPx + (g.end - g.first) * g.rowPx + (isShown(g) ? g.detailPx : 0);
}

/** Top of a row inside the scrolled space. */
export function topOf(g: StreamGeometry, number: number): number {
  const below = isShown(g) && number > g.expanded! ? g.detailPx : 0;
  return g.headPx + (number - g.first) * g.rowPx + below;
}

/** Rows that are visible at a scroll position, with some to spare on both sides: `[from, to)`. */
export function visibleRows(g: StreamGeometry, scrollTop: number, spare: number): [number, number] {
  const from = numberAt(g, scrollTop) - spare;
  const to = numberAt(g, scrollTop + g.viewPx) + 1 + spare;
  return [Math.max(g.first, from), Math.min(g.end, to)];
}

/** The scroll position that shows the newest row at the bottom. */
export function bottomPx(g: StreamGeometry): number {
  return Math.max(0, totalPx(g) - g.viewPx);
}

/** The scroll position nearest to the present one at which a whole row is in view. */
export function scrollToShow(g: StreamGeometry, scrollTop: number, number: number): number {
  const top = topOf(g, number);
  const bottom = top + g.rowPx + (number === g.expanded ? Math.min(g.detailPx, g.viewPx - g.rowPx) : 0);
  if (top < scrollTop) return top;
  if (bottom > scrollTop + g.viewPx) return bottom - g.viewPx;
  return scrollTop;
}

function numberAt(g: StreamGeometry, y: number): number {
  let inside = y - g.headPx;
  if (isShown(g)) {
    const detailTop = (g.expanded! - g.first + 1) * g.rowPx;
    if (inside > detailTop) inside = Math.max(detailTop - 1, inside - g.detailPx);
  }
  return g.first + Math.floor(inside / g.rowPx);
}

function isShown(g: StreamGeometry): boolean {
  return g.expanded !== null && g.expanded >= g.first && g.expanded < g.end;
}
