import { expect, it } from 'vitest';
import { lineSkewText, skewText } from './clock-skew.ts';

it('says nothing of a clock that is right within two seconds', () => {
  expect([0, 1_999, -2_000, undefined].map(skewText)).toEqual([null, null, null, null]);
  expect(lineSkewText({ tsMs: 10 })).toBeNull();
});

it('says by how much and which way', () => {
  expect(skewText(3_000)).toMatch(/3.*behind the manager/);
  expect(skewText(-3_600_000)).toMatch(/ahead of the manager/);
  expect(lineSkewText({ tsMs: 1e6, sortMs: 1e6 - 60_000 })).toMatch(/ahead/);
});
