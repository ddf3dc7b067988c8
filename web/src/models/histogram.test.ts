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
