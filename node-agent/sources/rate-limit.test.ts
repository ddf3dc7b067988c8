import { expect, test } from 'vitest';
import type { NewLine } from '../../common/model/line.ts';
import { createRateLimit } from './rate-limit.ts';

const line = (unit: string, level: NewLine['level'] = 'info'): NewLine => ({
  tsMs: 1,
  level,
  source: 'qemu',
  unit,
  message: 'm',
});

test('what is over the rate is left out, counted and told; others are not touched', () => {
  const out: NewLine[] = [];
  let clockMs = 0;
  const limit = createRateLimit(
    { linesPerSecond: 10, burst: 3 },
    { emit: (one) => out.push(one), now: () => 9, monotonicMs: () => clockMs },
  );
  for (let n = 0; n < 8; n += 1) limit.emit('loud', line('loud', n === 5 ? 'error' : 'info'));
  limit.emit('quiet', line('quiet'));
  expect(out.map(({ unit }) => unit)).toEqual(['loud', 'loud', 'loud', 'quiet']);
  limit.flush();
  expect(out.at(-1)).toMatchObject({ unit: 'loud', level: 'warn', fields: { dropped: 5, worstLevel: 'error' } });
  clockMs = 200;
  for (let n = 0; n < 4; n += 1) limit.emit('loud', line('loud'));
  expect(out.length).toBe(7);
  limit.flush();
  limit.flush();
  expect(out.at(-1)?.fields).toMatchObject({ dropped: 2 });
  expect(out.length).toBe(8);
});
