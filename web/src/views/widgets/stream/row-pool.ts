import { dayTimeText, utcText } from '../../../dom/format.ts';
import { isMarker, type LineRing } from '../../../models/line-ring.ts';
import { createRowDom, fillRow, type RowDom, type RowView } from './row-dom.ts';
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
 * A few elements for any number of rows. A row always uses the element `number modulo size`, so that while it is on
 * screen it keeps its element: a selection or a hover on it survives the stream.
 */
export function createRowPool(space: HTMLElement, view: () => RowView): RowPool {
  let rows: RowDom[] = [];
  let shown = new Set<RowDom>();
  let filled = new Set<RowDom>();

  function grow(size: number): void {
    for (const row of rows) row.el.remove();
    rows = Array.from({ length: size }, () => createRowDom(view().columns));
    shown = new Set();
    filled = new Set();
    space.append(...rows.map((row) => row.el));
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
      const next = new Set<RowDom>();
      const written = view();
      for (const { number, y } of places) {
        const row = ring.at(number);
        if (row === undefined) continue;
        const dom = rows[((number % rows.length) + rows.length) % rows.length]!;
        if (dom.row !== row || dom.number !== number) {
          fillRow(dom, row, written);
          if (dom.number !== number) dom.el.id = `row-${number}`;
          dom.number = number;
          filled.add(dom);
        }
        const top = Math.round(basePx + y);
        if (dom.top !== top) {
          dom.top = top;
          dom.el.style.transform = `translateY(${top}px)`;
        }
        const { classList } = dom.el;
        classList.toggle('is-selected', number === marks.selected);
        classList.toggle('is-expanded', number === marks.open);
        classList.toggle('is-paused-at', number === marks.pausedAt);
        classList.toggle('is-cursor', number === marks.cursor);
        dom.el.ariaSelected = number === marks.selected ? 'true' : 'false';
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
