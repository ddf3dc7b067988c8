import { describe, expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { isMarker, type Marker } from './line-ring.ts';
import { LineWindow } from './line-window.ts';

const line = (n: number): Line => ({
  id: `a.e.${n}`,
  tsMs: n * 10,
  receivedMs: n * 10,
  level: 'info',
  host: 'a',
  hostName: 'a',
  agent: 'a',
  source: 'agent',
  message: `m${n}`,
});
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => line(from + i));

function shown(window: LineWindow): (string | number)[] {
  return Array.from({ length: window.ring.length }, (_, i) => {
    const row = window.ring.at(window.ring.first + i)!;
    return isMarker(row) ? row.marker : Number(row.id.split('.')[2]);
  });
}

function opened(): LineWindow {
  const window = new LineWindow(100);
  window.addBatch({ id: 't', lines: lines(0, 5), skipped: 0, position: '5', backlog: true });
  return window;
}

describe('LineWindow', () => {
  it('remembers the position to resume behind', () => {
    const window = opened();
    window.addBatch({ id: 't', lines: lines(5, 7), skipped: 0, position: '9' });
    expect(window.position).toBe('9');
    expect(shown(window)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('does not repeat lines when the manager answers a resume with a backlog', () => {
    const window = opened();
    window.addBatch({ id: 't', lines: lines(2, 9), skipped: 0, position: '9', backlog: true });
    expect(shown(window)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('says so when a resumed backlog does not meet what is here', () => {
    const window = opened();
    window.addBatch({ id: 't', lines: lines(50, 52), skipped: 0, position: '52', backlog: true });
    expect(shown(window)).toEqual([0, 1, 2, 3, 4, 'break', 50, 51]);
    const marker = window.ring.at(5) as Marker;
    expect([marker.fromMs, marker.toMs]).toEqual([40, 500]);
  });

  it('shows skipped lines as a row that knows where they are, and fills it', () => {
    const window = opened();
    window.addBatch({ id: 't', lines: [], skipped: 3, position: '8' });
    window.addBatch({ id: 't', lines: lines(8, 9), skipped: 0, position: '9' });
    expect(shown(window)).toEqual([0, 1, 2, 3, 4, 'skipped', 8]);
    const marker = window.ring.at(5) as Marker;
    expect([marker.count, marker.fromMs, marker.toMs]).toEqual([3, 40, 80]);
    window.fill(marker, lines(4, 9));
    expect(shown(window)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('tells new rows once a batch and counts them', () => {
    const window = opened();
    let events = 0;
    window.on('rows', () => {
      events += 1;
    });
    window.addBatch({ id: 't', lines: lines(5, 30), skipped: 0, position: '30' });
    expect(events).toBe(1);
    expect(window.appended).toBe(30);
  });
});
