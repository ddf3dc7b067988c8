import { expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { WAYS } from '../../../manager/intake/outside/ports.ts';
import { outsideName, placeOf, shortPlaceOf } from './line-place.ts';

const line = (given: Partial<Line>) =>
  ({ hostName: 'cedar', agent: 'a1', source: 'file', fields: {}, ...given }) as Line;

it('names where lines come from: the host, the part of WebVirt, the way in from outside', () => {
  expect(placeOf(line({}))).toBe('cedar');
  expect(placeOf(line({ hostName: '', agent: 'crawler', source: 'crawler' }))).toBe('crawler');
  const outside = line({ hostName: '', agent: 'external', source: 'external', fields: { via: 'syslog-udp' } });
  expect([placeOf(outside), shortPlaceOf(outside)]).toEqual(['outside: syslog, UDP', 'syslog, UDP']);
  expect(placeOf({ ...outside, fields: { via: 'carrier pigeon' } })).toBe('outside');
});

it('knows every way in by name', () => {
  expect(WAYS.filter((way) => outsideName(way) === 'outside')).toEqual([]);
});
