/** State of a stream's viewport; pure numbers, so that it can be tested without a browser. */
export interface StreamGeometry {
  /** Height of a row of one line. */
  rowPx: number;
  viewPx: number;
  /** Room below the newest row, for what stands over the lower edge. */
  footPx: number;
  /** First row held and the row behind the last one shown. */
  first: number;
  end: number;
  /** Space above the first row, for "load older". */
  headPx: number;
  /** Heights of rows that were measured because they wrap. */
  tall: Map<number, number>;
  /** Mean height of a row: what the scrollbar counts with. `rowPx` where nothing wraps. */
  meanPx: number;
  /** The row whose detail is open, and how tall that is. */
  open: number | null;
  openPx: number;
  /** The row at the upper edge, and how much of it is above; less than nothing: so much of the head is seen. */
  top: number;
  hiddenPx: number;
}

/** A scrolled element must not be taller: browsers lose precision, and Firefox cuts it. Beyond, the scrollbar is mapped. */
export const MOST_BAR_PX = 8_000_000;

export function newGeometry(rowPx: number): StreamGeometry {
  const none = { footPx: 0, first: 0, end: 0, tall: new Map(), open: null, openPx: 0, top: 0, hiddenPx: 0 };
  return { ...none, rowPx, viewPx: 0, headPx: rowPx, meanPx: rowPx };
}

/** Height of a row without its detail. */
export function rowHeight(g: StreamGeometry, number: number): number {
  return g.tall.get(number) ?? g.rowPx;
}

function fullHeight(g: StreamGeometry, number: number): number {
  return rowHeight(g, number) + (number === g.open ? g.openPx : 0);
}

/** Puts the newest row at the lower edge; everything below the upper edge when there is little. */
export function toBottom(g: StreamGeometry): void {
  let filled = g.footPx;
  let number = g.end;
  while (number > g.first && filled < g.viewPx) {
    number -= 1;
    filled += fullHeight(g, number);
  }
  g.top = number;
  g.hiddenPx = Math.max(filled - g.viewPx, number === g.first ? -g.headPx : 0);
}

export function toTop(g: StreamGeometry): void {
  g.top = g.first;
  g.hiddenPx = -g.headPx;
  clamp(g);
}

/** Moves the view by so many pixels, over rows as tall as they are. */
export function scrollBy(g: StreamGeometry, px: number): void {
  g.hiddenPx += px;
  while (g.hiddenPx < 0 && g.top > g.first) {
    g.top -= 1;
    g.hiddenPx += fullHeight(g, g.top);
  }
  while (g.top < g.end - 1 && g.hiddenPx >= fullHeight(g, g.top)) {
    g.hiddenPx -= fullHeight(g, g.top);
    g.top += 1;
  }
  clamp(g);
}

/** Keeps the view inside of what is held. */
export function clamp(g: StreamGeometry): void {
  if (g.top < g.first) Object.assign(g, { top: g.first, hiddenPx: 0 });
  if (g.top === g.first && g.hiddenPx < -g.headPx) g.hiddenPx = -g.headPx;
  const { top, hiddenPx } = g;
  toBottom(g);
  if (top < g.top || (top === g.top && hiddenPx < g.hiddenPx)) Object.assign(g, { top, hiddenPx });
}

export function isAtBottom(g: StreamGeometry): boolean {
  const { top, hiddenPx } = g;
  toBottom(g);
  const bottom = { top: g.top, hiddenPx: g.hiddenPx };
  Object.assign(g, { top, hiddenPx });
  return top > bottom.top || (top === bottom.top && hiddenPx >= bottom.hiddenPx - 2);
}

export interface Placed {
  number: number;
  /** Distance from the upper edge of the view. */
  y: number;
}

/** Rows in view, with some to spare on both sides, top to bottom. */
export function visibleRows(g: StreamGeometry, spare: number): Placed[] {
  const rows: Placed[] = [];
  let y = 0 - g.hiddenPx;
  for (let number = g.top - 1; number >= Math.max(g.first, g.top - spare); number -= 1) {
    y -= fullHeight(g, number);
    rows.unshift({ number, y });
  }
  y = 0 - g.hiddenPx;
  let left = spare;
  for (let number = g.top; number < g.end && left > 0; number += 1) {
    rows.push({ number, y });
    y += fullHeight(g, number);
    if (y > g.viewPx) left -= 1;
  }
  return rows;
}

/** Moves as little as brings a whole row into view. */
export function showRow(g: StreamGeometry, number: number): void {
  const before = number < g.top || (number === g.top && g.hiddenPx > 0);
  if (before) {
    Object.assign(g, { top: number, hiddenPx: 0 });
    clamp(g);
    return;
  }
  let y = 0 - g.hiddenPx;
  for (let n = g.top; n < number && y <= g.viewPx; n += 1) y += fullHeight(g, n);
  const detailPx = number === g.open ? Math.min(g.openPx, g.viewPx - g.footPx - rowHeight(g, number)) : 0;
  const needed = rowHeight(g, number) + detailPx + g.footPx;
  if (y + needed <= g.viewPx) return;
  Object.assign(g, { top: number, hiddenPx: 0 });
  scrollBy(g, needed - g.viewPx);
}

/** Puts a row at this share of the view's height: where a link or a jump leads. */
export function placeRow(g: StreamGeometry, number: number, share: number): void {
  Object.assign(g, { top: number, hiddenPx: 0 });
  scrollBy(g, -g.viewPx * share);
}

/** How tall everything is by the mean height. */
export function wholePx(g: StreamGeometry): number {
  return (
    g.headPx +
    g.footPx +
    (g.end - g.first) * g.meanPx +
    (g.open !== null && g.open >= g.first && g.open < g.end ? g.openPx : 0)
  );
}

/** Where the view stands in it. */
export function positionPx(g: StreamGeometry): number {
  const tall = rowHeight(g, g.top);
  const inRow = g.hiddenPx <= tall ? g.hiddenPx * (g.hiddenPx < 0 ? 1 : g.meanPx / tall) : g.meanPx + g.hiddenPx - tall;
  const above = g.open !== null && g.open < g.top && g.open >= g.first ? g.openPx : 0;
  return g.headPx + (g.top - g.first) * g.meanPx + above + inRow;
}

/** Goes to a place in the whole: what a dragged scrollbar asks for. */
export function jumpTo(g: StreamGeometry, px: number): void {
  let inside = px - g.headPx;
  const openAt = g.open !== null && g.open >= g.first ? (g.open - g.first + 1) * g.meanPx : Number.POSITIVE_INFINITY;
  if (inside >= openAt) inside = Math.max(openAt - 1, inside - g.openPx);
  const rows = Math.max(0, Math.floor(inside / g.meanPx));
  g.top = Math.min(g.end, g.first + rows);
  g.hiddenPx = inside < 0 ? inside : ((inside - rows * g.meanPx) * rowHeight(g, g.top)) / g.meanPx;
  clamp(g);
}

/** How tall the scrolled element is. */
export function barPx(g: StreamGeometry): number {
  return Math.min(MOST_BAR_PX, wholePx(g));
}

/** Pixels of the whole for one pixel of the scrollbar; 1 until it is mapped. */
export function barScale(g: StreamGeometry): number {
  const room = barPx(g) - g.viewPx;
  return room <= 0 ? 1 : Math.max(1, (wholePx(g) - g.viewPx) / room);
}

/** Takes measured heights; true when rows must be placed again. The row at the upper edge stays where it is. */
export function takeHeights(g: StreamGeometry, heights: readonly (readonly [number, number])[]): boolean {
  let changed = false;
  for (const [number, px] of heights) {
    if (px === 0 || rowHeight(g, number) === px) continue;
    g.tall.set(number, px);
    changed = true;
  }
  if (!changed) return false;
  let sum = 0;
  for (const px of g.tall.values()) sum += px;
  g.meanPx = sum / g.tall.size;
  if (g.tall.size > 2_000)
    for (const number of g.tall.keys()) if (number < g.top - 200 || number > g.top + 1_000) g.tall.delete(number);
  return true;
}
