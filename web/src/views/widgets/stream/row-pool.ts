import { utcText } from '../../../dom/format.ts';
import { isMarker, type LineRing } from '../../../models/line-ring.ts';
import { createRowDom, fillRow, type RowDom, type RowNames } from './row-dom.ts';

/** Where rows stand: row `number` is drawn at `top(number)` pixels inside the scrolled space. */
export interface RowPlaces {
  top(number: number): number;
  selected: number | null;
  expanded: number | null;
}

export interface RowPool {
  /** Shows rows `from … to - 1` and hides the others. Rows that stay keep their element. */
  show(ring: LineRing, from: number, to: number, places: RowPlaces): void;
  rowAt(target: EventTarget | null): RowDom | null;
  /** Fills every shown row again: names or formats changed. */
  refill(): void;
}

const SPARE = 6;

/**
 * A few elements for any number of rows. A row always uses the element `number modulo size`, so that while it is on
 * screen it keeps its element: a selection or a hover on it survives the stream.
 */
export function createRowPool(space: HTMLElement, names: RowNames): RowPool {
  let rows: RowDom[] = [];
  let shown = new Set<RowDom>();

  function grow(size: number): void {
    for (const row of rows) row.el.remove();
    rows = Array.from({ length: size }, createRowDom);
    shown = new Set();
    space.append(...rows.map((row) => row.el));
  }

  function hide(row: RowDom): void {
    row.el.hidden = true;
    row.number = null;
    row.row = null;
  }

  return {
    show(ring, from, to, places) {
      if (to - from > rows.length) grow(to - from + SPARE);
      const next = new Set<RowDom>();
      for (let number = from; number < to; number += 1) {
        const row = ring.at(number);
        if (row === undefined) continue;
        const dom = rows[((number % rows.length) + rows.length) % rows.length]!;
        if (dom.row !== row || dom.number !== number) {
          fillRow(dom, row, names);
          dom.number = number;
          dom.el.id = `row-${number}`;
        }
        const top = places.top(number);
        if (dom.top !== top) {
          dom.top = top;
          dom.el.style.transform = `translateY(${top}px)`;
        }
        dom.el.classList.toggle('is-selected', number === places.selected);
        dom.el.classList.toggle('is-expanded', number === places.expanded);
        dom.el.ariaSelected = number === places.selected ? 'true' : 'false';
        if (dom.el.hidden) dom.el.hidden = false;
        next.add(dom);
      }
      for (const dom of shown) if (!next.has(dom)) hide(dom);
      shown = next;
    },
    rowAt(target) {
      const el = target instanceof Element ? target.closest('.row') : null;
      return el === null ? null : (rows.find((row) => row.el === el && row.number !== null) ?? null);
    },
    refill() {
      for (const dom of shown) if (dom.row !== null) fillRow(dom, dom.row, names);
    },
  };
}

/** The exact UTC is a title made when the pointer comes to a time, not for every line of the stream. */
export function titleTime(pool: RowPool, target: EventTarget | null): void {
  const cell = target instanceof HTMLElement ? target.closest<HTMLElement>('.c-time') : null;
  const row = pool.rowAt(cell)?.row;
  if (cell !== null && row != null && !isMarker(row)) cell.title = utcText(row.tsMs);
}
