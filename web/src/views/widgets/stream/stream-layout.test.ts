import { describe, expect, it } from 'vitest';
import {
  barPx,
  barScale,
  isAtBottom,
  jumpTo,
  MOST_BAR_PX,
  newGeometry,
  placeRow,
  positionPx,
  type StreamGeometry,
  scrollBy,
  showRow,
  toBottom,
  toTop,
  visibleRows,
  wholePx,
} from './stream-layout.ts';

const g = (more: Partial<StreamGeometry> = {}): StreamGeometry => ({
  ...newGeometry(20),
  ...{ viewPx: 200, first: 1_000, end: 1_100, top: 1_000 },
  ...more,
});
const at = (one: StreamGeometry) => [one.top, one.hiddenPx];

describe('the layout of a stream', () => {
  it('shows the newest row at the lower edge, and few rows below the upper one', () => {
    const many = g();
    toBottom(many);
    expect(at(many)).toEqual([1_090, 0]);
    expect(isAtBottom(many)).toBe(true);
    expect(positionPx(many)).toBe(wholePx(many) - 200);
    const few = g({ end: 1_003 });
    toBottom(few);
    expect(at(few)).toEqual([1_000, -20]);
    expect(visibleRows(few, 2)).toEqual([1_000, 1_001, 1_002].map((number, i) => ({ number, y: 20 + i * 20 })));
  });

  it('scrolls over rows as tall as they are, and stops at both ends', () => {
    const one = g({ tall: new Map([[1_001, 60]]) });
    scrollBy(one, 50);
    expect(at(one)).toEqual([1_001, 30]);
    scrollBy(one, -45);
    expect(at(one)).toEqual([1_000, 5]);
    scrollBy(one, -500);
    expect(at(one)).toEqual([1_000, -20]);
    scrollBy(one, 1_000_000);
    expect(at(one)).toEqual([1_090, 0]);
  });

  it('knows its place in the whole, and finds it again', () => {
    const one = g({ open: 1_010, openPx: 130 });
    for (const px of [0, 20, 33, 219, 239, 400, 1_000, wholePx(one) - 200]) {
      jumpTo(one, px);
      if (px < 240 || px > 370) expect(positionPx(one)).toBeCloseTo(px, 6);
    }
  });

  it('shows rows with the open detail between them', () => {
    const one = g({ open: 1_001, openPx: 50 });
    expect(visibleRows(one, 1).slice(0, 4)).toEqual([
      { number: 1_000, y: 0 },
      { number: 1_001, y: 20 },
      { number: 1_002, y: 90 },
      { number: 1_003, y: 110 },
    ]);
  });

  it('moves no more than needed to show a row, with its detail as far as there is room', () => {
    const one = g();
    showRow(one, 1_005);
    expect(at(one)).toEqual([1_000, 0]);
    showRow(one, 1_010);
    expect(at(one)).toEqual([1_001, 0]);
    Object.assign(one, { open: 1_010, openPx: 900 });
    showRow(one, 1_010);
    expect(at(one)).toEqual([1_010, 0]);
    showRow(one, 1_003);
    expect(at(one)).toEqual([1_003, 0]);
    placeRow(one, 1_050, 0.5);
    expect(at(one)).toEqual([1_045, 0]);
  });

  it('maps the scrollbar of a million rows', () => {
    const one = g({ first: 0, end: 1_000_000, top: 0 });
    expect(barPx(one)).toBe(MOST_BAR_PX);
    const scale = barScale(one);
    toBottom(one);
    expect(positionPx(one) / scale).toBeCloseTo(MOST_BAR_PX - 200, 3);
    jumpTo(one, (MOST_BAR_PX / 2) * scale);
    expect(one.top).toBeGreaterThan(499_900);
    expect(one.top).toBeLessThan(500_100);
    toTop(one);
    expect(at(one)).toEqual([0, -20]);
  });
});
