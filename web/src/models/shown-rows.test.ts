import { expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { isMarker } from './line-ring.ts';
import { LineWindow } from './line-window.ts';
import { type FoldedLine, ShownRows } from './shown-rows.ts';

let serial = 0;
const line = (message: string): Line => {
  serial += 1;
  const where = { host: 'a', hostName: 'a', agent: 'a', source: 'agent' } as const;
  return { id: `a.e.${serial}`, tsMs: serial, receivedMs: serial, level: 'info', ...where, message };
};
const shown = ({ ring }: ShownRows) =>
  Array.from({ length: ring.length }, (_, i) => {
    const row = ring.at(ring.first + i)!;
    if (isMarker(row)) return row.marker;
    const { repeats } = row as FoldedLine;
    return repeats === undefined ? row.message : `${row.message}*${repeats.count}`;
  });
const add = (window: LineWindow, text: string) =>
  window.addBatch({ id: 't', lines: [...text].map(line), skipped: 0, position: '1' });

it('folds what repeats, over the ends of batches, opens a group and folds it again', () => {
  const window = new LineWindow(100);
  const rows = new ShownRows(window);
  add(window, 'aab');
  rows.fold(true);
  add(window, 'bbc');
  add(window, 'c');
  expect(shown(rows)).toEqual(['a*2', 'b*3', 'c*2']);
  const group = rows.ring.at(rows.ring.first + 1) as FoldedLine;
  rows.toggle(group.repeats!.key);
  expect(shown(rows)).toEqual(['a*2', 'b', 'b*2', 'b*3', 'c*2']);
  rows.toggle(group.repeats!.key);
  window.addOlder([line('x'), line('a')]);
  expect(shown(rows)).toEqual(['x', 'a*3', 'b*3', 'c*2']);
  rows.fold(false);
  expect(shown(rows)).toEqual([...'xaaabbbcc']);
});

it('pushes nothing out of a full window while it is held, and says what came meanwhile', () => {
  const window = new LineWindow(5);
  add(window, 'abcd');
  window.hold(true);
  for (let i = 0; i < 30; i += 1) add(window, 'z'.repeat(100));
  const rows = new ShownRows(window);
  expect(shown(rows)).toEqual([...'abcdz']);
  expect(window.appended).toBe(3_004);
  window.hold(false);
  expect(shown(rows)).toEqual([...'zzzzz']);
});
