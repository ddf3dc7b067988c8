import { expect, it } from 'vitest';
import type { Line } from '../../../common/model/line.ts';
import { conditionText, ruleDraftFromLine } from './rules.ts';

const line = (message: string, more: Partial<Line> = {}): Line => ({
  ...{ id: 'a.b.1', tsMs: 1, receivedMs: 1, level: 'error', host: 'h', hostName: 'h', agent: 'h', source: 'journal' },
  message,
  ...more,
});

it.each([
  [
    'blk_update_request: I/O error, dev sdb, sector 1953523712 op 0x0:(READ)',
    '"blk_update_request: I/O error, dev sdb, sector"',
  ],
  ['Failed password for root from 192.0.2.7 port 4711 ssh2', '"Failed password for root from"'],
  ['domain "web-1" said \\ no way', '"said \\\\ no way"'],
  ['12345 0x7f', ''],
  ['', ''],
  ['Out of memory\nKilled process 1', '"Out of memory"'],
])('makes of %j the filter %s', (message, q) => {
  expect(ruleDraftFromLine(line(message)).query).toEqual({ q, level: 'error', source: 'journal' });
});

it('groups by what the line is of, and names it', () => {
  expect(ruleDraftFromLine(line('x', { instance: 'i' }))).toMatchObject({ groupBy: 'instance', severity: 'critical' });
  const draft = ruleDraftFromLine(line('all is well', { level: 'info' }));
  expect(draft).toMatchObject({
    groupBy: 'host',
    severity: 'info',
    name: 'all is well',
    query: { q: '"all is well"' },
  });
  expect(draft.query.level).toBeUndefined();
});

it('says in words what a rule looks for', () => {
  expect(conditionText({ kind: 'lines', count: 5, withinMs: 90_000 }, 'host')).toBe(
    'at least 5 lines within 90 s, per host',
  );
  expect(conditionText({ kind: 'lines', count: 1, withinMs: 60_000 }, null)).toBe('any line');
  expect(conditionText({ kind: 'silence', withinMs: 172_800_000 }, 'instance')).toBe('no line in 2 days, per instance');
});
