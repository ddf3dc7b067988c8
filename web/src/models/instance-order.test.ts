import { describe, expect, it } from 'vitest';
import { formatInstanceQuery, orderOf, parseInstanceQuery } from './instance-order.ts';
import { InstanceModel } from './nouns.ts';

const instance = (id: string, name: string, more: Record<string, unknown> = {}) =>
  new InstanceModel({
    id,
    name,
    state: 'running',
    host: 'h',
    hostName: 'alder',
    vcpus: 1,
    load: null,
    ...more,
  } as never);

describe('the order of instances', () => {
  const all = [
    instance('1', 'web-10'),
    instance('2', 'web-2', { state: 'crashed' }),
    instance('3', 'db-1', { hostName: 'birch', host: 'h2', load: { cpuRatio: 0.9 } }),
  ];
  const ids = (query: string) => orderOf(all, parseInstanceQuery(query)).join('');

  it('sorts names as people count', () => expect(ids('')).toBe('321'));
  it('turns round', () => expect(ids('sort=-name')).toBe('123'));
  it('puts what needs a look first when sorted by state', () => expect(ids('sort=state')).toBe('231'));
  it('sorts by load, unknown last', () => expect(ids('sort=-cpu')).toBe('321'));
  it('finds every word in name and host', () => expect(ids('q=DB+birch')).toBe('3'));
  it('filters by state and host', () => {
    expect(ids('state=crashed')).toBe('2');
    expect(ids('host=h2')).toBe('3');
  });
  it('keeps its address short', () => {
    expect(formatInstanceQuery(parseInstanceQuery('sort=name&junk=1'))).toBe('');
    expect(formatInstanceQuery(parseInstanceQuery('q=a&sort=-cpu'))).toBe('q=a&sort=-cpu');
  });
});
