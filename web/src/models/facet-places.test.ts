import { expect, it } from 'vitest';
import { withPlaces } from './facet-places.ts';

it('names what has no host: parts of WebVirt, and lines from outside by their way in', () => {
  const hosts = [
    { value: 'h1', count: 40 },
    { value: '', count: 30 },
  ];
  const agents = [
    { value: 'h1', count: 40 },
    { value: 'external', count: 20 },
    { value: 'manager', count: 10 },
  ];
  const ways = [
    { value: 'syslog-udp', count: 15 },
    { value: 'carrier pigeon', count: 3 },
  ];
  expect(withPlaces(hosts, agents, ways)).toEqual([
    { value: 'h1', count: 40 },
    { value: 'via syslog-udp', count: 15, name: 'outside: syslog, UDP', term: ['via', 'syslog-udp'] },
    { value: 'manager', count: 10, name: 'manager', term: ['agent', 'manager'] },
    { value: 'via carrier pigeon', count: 3, name: 'outside: carrier pigeon', term: ['via', 'carrier pigeon'] },
    { value: 'external', count: 2, name: 'outside', term: ['source', 'external'] },
  ]);
  expect(withPlaces(hosts, [], [])).toEqual([{ value: 'h1', count: 40 }]);
});
