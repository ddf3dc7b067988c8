import { describe, expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { isMarker } from './line-ring.ts';
import { LineWindow } from './line-window.ts';

const at = (tsMs: number, more: Partial<Line> = {}): Line => ({
  ...{ id: `a.e.${tsMs}`, tsMs, receivedMs: tsMs, level: 'info', host: 'a', hostName: 'a', agent: `of ${tsMs}` },
  ...{ source: 'agent', message: String(tsMs) },
  ...more,
});
const batch = (lines: Line[], more: object = {}) => ({ id: 't', lines, skipped: 0, position: 'p', ...more });

function shown({ ring }: LineWindow): string[] {
  return Array.from({ length: ring.length }, (_, i) => {
    const row = ring.at(ring.first + i)!;
    return isMarker(row) ? row.marker : row.message;
  });
}
function windowWith(...times: number[]): LineWindow {
  const window = new LineWindow(100);
  window.addBatch(
    batch(
      times.map((time) => at(time)),
      { backlog: true },
    ),
  );
  return window;
}

describe('lines of several hosts', () => {
  it('are put in order of time where they come within a second, in one batch and over several', () => {
    const window = windowWith(10_000, 10_400, 10_800);
    window.addBatch(batch([at(10_900), at(10_500), at(10_300), at(10_950)]));
    expect(shown(window)).toEqual(['10000', '10300', '10400', '10500', '10800', '10900', '10950']);
    expect(window.appended).toBe(7);
  });

  it('are ordered by the corrected time, and keep their order of arrival within one', () => {
    const window = windowWith(10_000);
    window.addBatch(batch([at(10_200), at(99_000, { sortMs: 10_100 }), at(10_200, { message: 'second' })]));
    expect(shown(window)).toEqual(['10000', '99000', '10200', 'second']);
  });

  it('keep the order in which one agent said them, whatever its clock did', () => {
    const window = windowWith(10_000);
    window.addBatch(batch([at(10_500, { agent: 'x' }), at(10_300, { agent: 'x' }), at(10_400, { agent: 'y' })]));
    window.addBatch(batch([at(10_450, { agent: 'x' })]));
    expect(shown(window)).toEqual(['10000', '10400', '10500', '10300', '10450']);
  });

  it('stay where they arrive when they are older: an agent that was away tells what it has', () => {
    const window = windowWith(10_000, 20_000);
    window.addBatch(batch([at(12_000), at(12_001), at(20_100)]));
    window.addBatch(batch([at(20_050)]));
    expect(shown(window)).toEqual(['10000', '20000', '12000', '12001', '20050', '20100']);
  });

  it('are not put among what a reader who paused has before them, nor before a marker', () => {
    const window = windowWith(10_000, 10_400);
    window.hold(true);
    window.addBatch(batch([at(10_600)]));
    window.addBatch(batch([at(10_300), at(10_500)]));
    expect(shown(window)).toEqual(['10000', '10400', '10300', '10500', '10600']);
    window.hold(false);
    window.addBatch(batch([at(10_700)], { skipped: 4 }));
    window.addBatch(batch([at(10_650)]));
    expect(shown(window).slice(-3)).toEqual(['skipped', '10650', '10700']);
  });

  it('are found again when the stream is resumed, whichever of them stands last', () => {
    const window = windowWith(10_000);
    window.addBatch(batch([at(10_500)]));
    window.addBatch(batch([at(10_400)]));
    window.addBatch(batch([at(10_500), at(10_400), at(10_600)], { backlog: true }));
    expect(shown(window)).toEqual(['10000', '10400', '10500', '10600']);
  });
});
