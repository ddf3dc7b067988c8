import { expect, it } from 'vitest';
import { bytesText, countText, durationText, percentText, plural, spanText, utcText } from './format.ts';

it('writes numbers as people read them', () => {
  expect(spanText(-5)).toBe('0 s');
  expect(spanText(59_400)).toBe('59 s');
  expect(spanText(125 * 60_000)).toBe('2 h 5 min');
  expect(spanText(50 * 3_600_000)).toBe('2 d 2 h');
  expect(durationText(340)).toBe('340 ms');
  expect(durationText(2_400)).toBe('2.4 s');
  expect(bytesText(0)).toBe('0 B');
  expect(bytesText(1024 ** 3 * 3.5)).toBe('3.5 GiB');
  expect(bytesText(1024 ** 2 * 512)).toBe('512 MiB');
  expect(percentText(0.0512)).toBe('5.1 %');
  expect(percentText(0.512)).toBe('51 %');
  expect(countText(1_234_567)).toBe('1\u2009234\u2009567');
  expect(plural(1, 'host')).toBe('1 host');
  expect(plural(2, 'host')).toBe('2 hosts');
  expect(utcText(0)).toBe('1970-01-01 00:00:00.000 UTC');
});
