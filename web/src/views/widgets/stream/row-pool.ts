import { dayTimeText, utcText } from '../../../dom/format.ts';
import { isMarker, type LineRing } from '../../../models/line-ring.ts';
import { createRowDom, fillRow, type RowDom, type RowView, writeClass } from './row-dom.ts';
import type { Placed } from './stream-layout.ts';

/** What marks single rows. */
export interface RowMarks {
  selected: number | null;
  open: number | null;
  /** The last row that was there when the reader paused. */
  pausedAt: number | null;
  /** The row at the cursor of another stream on the same time axis. */
  cursor: number | null;
}

export interface RowPool {
  /** Shows these rows, `y` behind `basePx` each, and hides the others. Rows that stay keep their element. */
  show(ring: LineRing, rows: readonly Placed[], basePx: number, marks: RowMarks): void;
  /** Heights of the rows that were filled since it was last asked. */
  measure(): [number, number][];
  rowAt(target: EventTarget | null): RowDom | null;
  /** Fills every shown row again: names or formats changed. */
  refill(): void;
  /** Makes the elements anew: columns changed. */
  rebuild(): void;
}

const SPARE = 6;

/**
 * A few elements for any number of rows. While a row is on screen it keeps its element: a selection or a hover on it
 * survives the stream. Where rows come so fast that none of a frame stays for the next one, the elements stay where they
 * are instead, and only their texts change: that is a third of the work.
 */
export function createRowPool(space: HTMLElement, view: () => RowView): RowPool {
  let rows: RowDom[] = [];
  let shown = new Set<RowDom>();
  let filled = new Set<RowDom>();
  /** A row uses the element `(number - shift) modulo size`. */
  let shift = 0;

  const elementOf = (number: number) => rows[(((number - shift) % rows.length) + rows.length) % rows.length]!;

  /** None of these rows is on screen: the first of them gets the element that is first now. */
  function settle(places: readonly Placed[]): void {
    const first = places[0];
    if (first === undefined || shown.size === 0 || places.some(({ number }) => elementOf(number).number === number))
      return;
    const [top] = shown;
    shift = first.number - rows.indexOf(top!);
  }

  function grow(size: number): void {
    for (const row of rows) row.el.remove();
    rows = Array.from({ length: size }, () => createRowDom(view().columns));
    shown = new Set();
    filled = new Set();
    space.append(...rows.map((row) => row.el));
  }

  function mark(dom: RowDom, number: number, { selected, open, pausedAt, cursor }: RowMarks): void {
    const isSelected = number === selected;
    let marks = isSelected ? ' is-selected' : '';
    if (number === open) marks += ' is-expanded';
    if (number === pausedAt) marks += ' is-paused-at';
    if (number === cursor) marks += ' is-cursor';
    if (isSelected !== dom.marks.startsWith(' is-selected')) {
      dom.el.ariaSelected = isSelected ? 'true' : 'false';
      // Only the row that keys act on is ever named.
      dom.el.id = '';
    }
    if (isSelected) dom.el.id = `row-${number}`;
    dom.marks = marks;
    writeClass(dom);
  }

  function hide(row: RowDom): void {
    row.el.hidden = true;
    row.number = null;
    row.row = null;
    filled.delete(row);
  }

  return {
    show(ring, places, basePx, marks) {
      if (places.length > rows.length) grow(places.length + SPARE);
      settle(places);
      const next = new Set<RowDom>();
      const written = view();
      for (const { number, y } of places) {
        const row = ring.at(number);
        if (row === undefined) continue;
        const dom = elementOf(number);
        if (dom.row !== row || dom.number !== number) {
          fillRow(dom, row, written);
          dom.number = number;
          filled.add(dom);
        }
        const top = Math.round(basePx + y);
        if (dom.top !== top) {
          dom.top = top;
          dom.el.style.transform = `translateY(${top}px)`;
        }
        mark(dom, number, marks);
        if (dom.el.hidden) dom.el.hidden = false;
        next.add(dom);
      }
      for (const dom of shown) if (!next.has(dom)) hide(dom);
      shown = next;
    },
    measure() {
      const heights = [...filled].map((dom): [number, number] => [dom.number!, dom.el.offsetHeight]);
      filled.clear();
      return heights;
    },
    rowAt(target) {
      const el = target instanceof Element ? target.closest('.row') : null;
      return el === null ? null : (rows.find((row) => row.el === el && row.number !== null) ?? null);
    },
    refill() {
      for (const dom of shown) {
        if (dom.row === null) continue;
        fillRow(dom, dom.row, view());
        writeClass(dom);
        filled.add(dom);
      }
    },
    rebuild() {
      grow(rows.length);
    },
  };
}

/** The exact UTC is a title made when the pointer comes to a time, not for every line of the stream. */
export function titleTime(pool: RowPool, target: EventTarget | null): void {
  const cell = target instanceof HTMLElement ? target.closest<HTMLElement>('.c-time') : null;
  const row = pool.rowAt(cell)?.row;
  if (cell === null || row == null || isMarker(row)) return;
  const skewMs = row.sortMs === undefined ? 0 : row.sortMs - row.tsMs;
  const skew =
    skewMs === 0
      ? ''
      : `\nits clock was off by ${(Math.abs(skewMs) / 1_000).toFixed(1)} s; placed at ${dayTimeText(row.sortMs!)}`;
  cell.title = `${utcText(row.tsMs)}\n${dayTimeText(row.tsMs)} here${skew}`;
}
