import { expect, it } from 'vitest';
import { parsePlace } from './place.ts';

it('reads the addresses of the console', () => {
  const cases: [string, string, string, string][] = [
    ['', 'live', '', ''],
    ['/', 'live', '', ''],
    ['/live?q=a%20b&level=warn', 'live', '', 'q=a%20b&level=warn'],
    ['/live?q=a?b/c', 'live', '', 'q=a?b/c'],
    ['/hosts/', 'hosts', '', ''],
    ['/hosts/0af3', 'host', '0af3', ''],
    ['/instances/6b1e-11', 'instance', '6b1e-11', ''],
    ['/lines/a.e%2F1.7', 'line', 'a.e/1.7', ''],
    ['/jobs', 'jobs', '', ''],
    ['/jobs/x?y=1', 'job', 'x', 'y=1'],
    ['/lines/%E0%A4%A', 'not-found', 'lines/%E0%A4%A', ''],
    ['/hosts/a/b', 'not-found', 'hosts/a/b', ''],
    ['/constructor', 'not-found', 'constructor', ''],
    ['/constructor/x', 'not-found', 'constructor/x', ''],
    ['/<img src=x>', 'not-found', '<img src=x>', ''],
  ];
  for (const [fragment, page, id, query] of cases) expect(parsePlace(fragment)).toEqual({ page, id, query });
});
