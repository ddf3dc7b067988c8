import { describe, expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { Histogram } from './histogram.ts';

const at = (tsMs: number, level: Line['level'] = 'info') => ({ tsMs, receivedMs: tsMs, level }) as Line;

describe('Histogram', () => {
  it('counts live lines on top of the stored counts', () => {
    const histogram = new Histogram(10);
    histogram.load(1_000, 2_000, [{ fromMs: 1_100, counts: { error: 1, warn: 0, info: 4, debug: 0 } }]);
    histogram.add([at(1_150), at(1_950, 'error'), at(2_500)]);
    expect(histogram.counts.info[1]).toBe(5);
    expect(histogram.counts.error[9]).toBe(1);
    expect(histogram.peak()).toBe(6);
  });

  it('knows of which times lines cannot be read, until the manager answers anew', () => {
    const histogram = new Histogram(10);
    const lost = { lines: 7, fromMs: 1_150, toMs: 1_300 };
    histogram.load(1_000, 2_000, [], [lost]);
    const marked = () => Array.from({ length: 10 }, (_, i) => histogram.unreadableAt(i).length);
    expect(marked()).toEqual([0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    histogram.slideTo(2_050);
    expect(marked()).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    histogram.load(1_000, 2_000, []);
    expect(histogram.unreadable).toEqual([]);
  });

  it('slides forward and drops the oldest', () => {
    const histogram = new Histogram(10);
    histogram.load(0, 1_000, []);
    histogram.add([at(50), at(950)]);
    histogram.slideTo(1_150);
    expect(histogram.fromMs).toBe(200);
    expect(histogram.total(7)).toBe(1);
    expect(histogram.peak()).toBe(1);
    histogram.slideTo(99_000);
    expect(histogram.peak()).toBe(0);
    expect(histogram.toMs).toBeGreaterThan(99_000);
  });
});
