import { expect, test } from 'vitest';
import { fileLine } from './file-line.ts';
import { readStamp } from './stamp.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const of = { unit: 'u', level: undefined, fields: {}, nowMs: NOW };

test.each([
  ['2026-01-01T10:00:00Z x', Date.UTC(2026, 0, 1, 10)],
  ['[2026-01-01 10:00:00,250] x', new Date(2026, 0, 1, 10, 0, 0, 250).getTime()],
  ['2026-01-01T10:00:00.123456789+02:00 x', Date.UTC(2026, 0, 1, 8, 0, 0, 123)],
  ['Dec 31 23:59:59 host prog[1]: x', new Date(2025, 11, 31, 23, 59, 59).getTime()],
  ['Jan  2 01:02:03 host x', new Date(2026, 0, 2, 1, 2, 3).getTime()],
  ['2999-01-01T00:00:00Z of the future', null],
  ['2026-13-45T99:00:00Z none', null],
  ['no time', null],
])('the time of %j', (text, tsMs) => {
  expect(readStamp(text, NOW)).toBe(tsMs);
});

test.each([
  ['10:00 ERROR x', 'error'],
  ['level=warning msg=x', 'warn'],
  ['<debug> x', 'debug'],
  ['[Notice] x', 'info'],
  ['could not open x', 'error'],
  ['an informed guess about terrors', 'info'],
])('the level of %j', (text, level) => {
  expect(fileLine(text, of)?.level).toBe(level);
});

test('JSON: message, level and time are taken out, the rest are fields, bounded; what is no object stays text', () => {
  const line = fileLine('{"ts":1767261600.5,"severity":"CRITICAL","message":"m","a":{"b":[1]},"level":7}', of);
  expect(line).toMatchObject({
    message: 'm',
    level: 'error',
    tsMs: 1_767_261_600_500,
    fields: { a: { b: [1] }, level: 7 },
  });
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k${n}`, 'v'.repeat(5_000)]));
  const fields = fileLine(JSON.stringify({ msg: 'm', ...many }), of)?.fields ?? {};
  expect(Object.keys(fields).length).toBe(64);
  expect(String(fields['k0']).length).toBeLessThan(4_200);
  expect(fileLine('{broken', of)).toMatchObject({ message: '{broken' });
  expect(fileLine('{"__proto__":{"x":1},"msg":"m"}', of)?.message).toBe('m');
  expect(fileLine(' \t', of)).toBeNull();
});
