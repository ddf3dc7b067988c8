import { describe, expect, it } from 'vitest';
import type { NewLine } from '../../model/line.ts';
import { ColumnBuilder } from '../../wire/frames.ts';
import { queryOf } from './filter.ts';
import { compileMatcher } from './match.ts';
import { parseQuery } from './parse.ts';
import { re2Engine } from './re2-engine.ts';
import { BatchRow } from './row.ts';

const LINES: Partial<NewLine>[] = [
  { message: 'Guest web1 started', level: 'info', instance: 'aaaa', fields: { code: 200, gap: { reason: 'cap' } } },
  { message: 'disk /dev/vda FULL at 100%', level: 'error', unit: 'qemu-web1.log', fields: { 'http.path': 'a_b' } },
  { message: 'ΟΔΟΣ İstanbul C:\\temp', level: 'debug', source: 'qemu' },
];

function hits(query: ReturnType<typeof parseQuery>): number[] {
  const builder = new ColumnBuilder();
  for (const line of LINES) builder.add({ tsMs: 1, level: 'info', source: 'agent', message: '', ...line });
  const row = new BatchRow({ agent: 'a1', host: 'h1', hostName: 'Node-One' }, builder.take());
  const matches = compileMatcher(query, re2Engine);
  return LINES.flatMap((_, i) => {
    row.i = i;
    return matches(row) ? [i] : [];
  });
}

describe('compileMatcher', () => {
  it.each([
    ['', [0, 1, 2]],
    ['WEB1', [0]],
    ['100%', [1]],
    ['"c:\\\\temp"', [2]],
    ['ΟΔΟΣ', [2]],
    ['istanbul', [2]],
    ['-web1', [1, 2]],
    ['level:error', [1]],
    ['-level:error -level:debug', [0]],
    ['host:node-one', [0, 1, 2]],
    ['host:h1 agent:a1', [0, 1, 2]],
    ['host:node', []],
    ['unit:*', [1]],
    ['unit:qemu-*.log', [1]],
    ['code:200', [0]],
    ['code:200.0', [0]],
    ['gap.reason:CAP', [0]],
    ['http.path:a_b', [1]],
    ['http.path:axb', []],
    ['-gap.reason:*', [1, 2]],
    ['constructor:*', []],
    ['/web\\d/', [0]],
    ['/GUEST/', []],
    ['/GUEST/i', [0]],
  ])('%s', (text, expected) => {
    expect(hits(parseQuery(text as string))).toEqual(expected);
  });

  it('puts the parts of a filter and its text together', () => {
    expect(hits(queryOf({ level: 'info', q: 'a' }))).toEqual([0, 1]);
    expect(hits(queryOf({ level: 'debug', source: 'qemu', host: 'h1' }))).toEqual([2]);
    expect(() => queryOf({ level: 'loud' })).toThrow(/no level "loud"/);
  });

  it('refuses a pattern that RE2 cannot read, and stays linear on an evil one', () => {
    expect(() => compileMatcher(parseQuery('x /(?=a)/'), re2Engine)).toThrow(/character 3 of the filter/);
    const matches = compileMatcher(parseQuery('/^(a+)+$/'), re2Engine);
    const builder = new ColumnBuilder();
    builder.add({ tsMs: 1, level: 'info', source: 'agent', message: `${'a'.repeat(20_000)}!` });
    expect(matches(new BatchRow({ agent: '', host: '', hostName: '' }, builder.take()))).toBe(false);
  });
});
