import { expect, test } from 'vitest';
import { createUnitLimit } from './unit-limit.ts';

test('a unit is cut by the time of its own lines; others are not; what was left out is told once, at its end', () => {
  const limit = createUnitLimit(10);
  const pass = (unit: string, tsMs: number) => limit.passes(unit, tsMs, tsMs === 1_007 ? 'error' : 'info');
  // 200 lines within 10 ms, however fast they are read: five seconds' worth pass.
  const flood = Array.from({ length: 200 }, (_, n) => pass('loud', 1_000 + Math.floor(n / 20)));
  expect(flood.filter(Boolean).length).toBe(50);
  expect(flood.lastIndexOf(true)).toBe(49);
  expect(pass('quiet', 1_009)).toBe(true);
  expect(limit.untold()).toEqual({ loud: { count: 150, worst: 'error', firstMs: 1_002, lastMs: 1_009 } });
  // Shut until a second's worth has gathered: what is left out is one stretch.
  expect([pass('loud', 1_200), pass('loud', 1_900), pass('loud', 2_100)]).toEqual([false, false, true]);
  expect(limit.takeDropped('loud')).toMatchObject({ count: 152 });
  expect([limit.takeDropped('loud'), limit.untold()]).toEqual([null, undefined]);
});

test('an hour of lines that waited is not a flood, and a clock that was set back starts anew', () => {
  const limit = createUnitLimit(10);
  for (let n = 0; n < 10_000; n += 1) expect(limit.passes('unit', n * 100, 'info')).toBe(true);
  for (let n = 0; n < 1_000; n += 1) expect(limit.passes('unit', n * 100, 'info')).toBe(true);
});

test('what was not told when the process died is told by the next one', () => {
  const first = createUnitLimit(1);
  for (let n = 0; n < 9; n += 1) first.passes('unit', 1, 'warn');
  const second = createUnitLimit(1, first.untold());
  expect(second.takeDropped('unit')).toMatchObject({ count: 4, worst: 'warn' });
});
