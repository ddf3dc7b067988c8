import { describe, expect, it } from 'vitest';
import { parseQuery } from '../../../common/pure/query/parse.ts';
import { apiQuery, formatLogParams, parseLogParams, withTerm } from './log-filter.ts';

describe('the address of a stream', () => {
  it('goes there and back', () => {
    const params = {
      q: 'a "b c" -x:1 /é&=#/',
      level: 'warn',
      host: 'h1',
      fromMs: 1_700_000_000_123,
      toMs: 1_700_000_060_000,
    };
    expect(parseLogParams(formatLogParams(params))).toEqual(params);
  });

  it('leaves out what is empty and ignores what it does not know', () => {
    expect(formatLogParams({ q: '', level: 'error' })).toBe('level=error');
    expect(parseLogParams('nonsense=1&from=yesterday&level=info')).toEqual({ level: 'info' });
    expect(parseLogParams(null)).toEqual({});
  });

  it('asks the API in milliseconds', () => {
    expect(apiQuery({ source: 'qemu', fromMs: 10.5, toMs: 20.2 }, { limit: 5 })).toBe(
      'source=qemu&from=10&to=21&limit=5',
    );
  });
});

describe('withTerm', () => {
  it('makes terms that the filter language reads as they are meant', () => {
    for (const value of ['plain', 'two words', 'with "quotes" and \\back\\', '-dash', '*', '/re/', 'a:b', '']) {
      const [term] = parseQuery(withTerm('', 'unit', value, false)).terms;
      if (value === '') continue;
      expect(term).toEqual({ kind: 'field', field: 'unit', pieces: [value.toLowerCase()], not: false });
    }
  });

  it('adds to what is there, once', () => {
    const once = withTerm('disk', 'pid', '7', true);
    expect(once).toBe('disk -pid:7');
    expect(withTerm(once, 'pid', '7', true)).toBe(once);
  });
});
