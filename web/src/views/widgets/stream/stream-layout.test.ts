import { describe, expect, it } from 'vitest';
import { bottomPx, type StreamGeometry, scrollToShow, topOf, totalPx, visibleRows } from './stream-layout.ts';

const g = (more: Partial<StreamGeometry> = {}): StreamGeometry => ({
  rowPx: 20,
  viewPx: 200,
  first: 1_000,
  end: 1_100,
  headPx: 20,
  expanded: null,
  detailPx: 0,
  ...more,
});

describe('the layout of a stream', () => {
  it('shows the newest row at the bottom', () => {
    const geometry = g();
    expect(totalPx(geometry)).toBe(2_020);
    const [from, to] = visibleRows(geometry, bottomPx(geometry), 0);
    expect(to).toBe(1_100);
    expect(from).toBeLessThanOrEqual(1_090);
    expect(topOf(geometry, 1_099) + 20).toBe(bottomPx(geometry) + 200);
  });

  it('makes room below an open row, and only then', () => {
    const geometry = g({ expanded: 1_010, detailPx: 300 });
    expect(topOf(geometry, 1_010)).toBe(220);
    expect(topOf(geometry, 1_011)).toBe(540);
    expect(totalPx(g({ expanded: 5, detailPx: 300 }))).toBe(2_020);
  });

  it('lists every row that touches the view, wherever it is scrolled to', () => {
    for (const geometry of [g(), g({ expanded: 1_010, detailPx: 300 }), g({ expanded: 1_099, detailPx: 90 })]) {
      for (let scrollTop = 0; scrollTop <= bottomPx(geometry); scrollTop += 7) {
        const [from, to] = visibleRows(geometry, scrollTop, 0);
        for (let n = geometry.first; n < geometry.end; n += 1) {
          const top = topOf(geometry, n);
          const touches = top + 20 > scrollTop && top < scrollTop + 200;
          if (touches) expect(n >= from && n < to, `row ${n} at ${scrollTop}`).toBe(true);
        }
        expect(to - from).toBeLessThanOrEqual(13);
      }
    }
  });

  it('scrolls no further than needed to show a row', () => {
    expect(scrollToShow(g(), 500, 1_030)).toBe(500);
    expect(scrollToShow(g(), 500, 1_000)).toBe(20);
    expect(scrollToShow(g(), 0, 1_050)).toBe(topOf(g(), 1_050) + 20 - 200);
  });
});
