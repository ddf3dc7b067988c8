import { expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import { mergeLines } from './merge-lines.ts';

const line = (agent: string, seq: number, tsMs: number, sortMs?: number) =>
  ({ agent, id: `${agent}.e.${seq}`, tsMs, ...(sortMs === undefined ? {} : { sortMs }) }) as Line;
const names = (lines: Line[]) => lines.map(({ id }) => id.replace('.e.', ''));

it('merges what several agents said by corrected time', () => {
  const lines = [line('a', 0, 10), line('a', 1, 30), line('b', 0, 5_020, 20), line('b', 1, 5_040, 40)];
  expect(names(mergeLines(lines))).toEqual(['a0', 'b0', 'a1', 'b1']);
});

it('keeps the order of one agent, whatever its clock did', () => {
  const lines = [line('a', 0, 50), line('a', 1, 10), line('a', 2, 60), line('b', 0, 55)];
  expect(names(mergeLines(lines))).toEqual(['a0', 'a1', 'b0', 'a2']);
});

it('gives back what is in order as it is', () => {
  const lines = [line('a', 0, 10), line('b', 0, 10), line('a', 1, 12)];
  expect(mergeLines(lines)).toBe(lines);
});
