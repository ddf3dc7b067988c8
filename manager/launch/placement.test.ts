import { expect, test } from 'vitest';
import type { HostResources } from '../../common/model/resources.ts';
import { choosePlace, type PlaceCandidate, placeFault } from './placement.ts';

const MIB = 1024 * 1024;
const needs = { base: 'tiny', memoryBytes: 512 * MIB };

function candidate(
  name: string,
  change: Partial<HostResources> = {},
  over: Partial<PlaceCandidate> = {},
): PlaceCandidate {
  const image = { name: 'tiny', pool: 'default', path: '/p/tiny', format: 'qcow2' as const, registeredMs: 1 };
  return {
    host: { id: name, name, state: 'online' },
    promisedBytes: 0,
    resources: {
      pools: [{ name: 'default', path: '/p', totalBytes: 9_000 * MIB, freeBytes: 5_000 * MIB, shared: false }],
      images: [{ ...image, virtualBytes: 100 * MIB, fileBytes: 1 }],
      networks: [
        { name: 'lan', kind: 'bridge', active: true },
        { name: 'off', kind: 'network', active: false },
      ],
      domainType: 'qemu',
      memoryAvailableBytes: 1_024 * MIB,
      ...change,
    },
    ...over,
  };
}
const code = (one: PlaceCandidate, more = {}) => placeFault(one, { ...needs, ...more })?.code ?? null;

test('each thing that keeps an instance from a host has its code', () => {
  const one = candidate('a');
  expect(code(one)).toBeNull();
  expect(code(one, { base: 'other' })).toBe('not-found');
  expect(code(one, { memoryBytes: 1_000 * MIB })).toBe('no-room');
  expect(code(candidate('a', {}, { promisedBytes: 500 * MIB }))).toBe('no-room');
  expect([code(one, { network: 'lan' }), code(one, { network: 'off' }), code(one, { network: 'x' })]).toEqual([
    ...[null, 'wrong-state', 'not-found'],
  ]);
  expect([code(one, { diskBytes: 50 * MIB }), code(one, { diskBytes: 9_001 * MIB })]).toEqual([
    'bad-request',
    'no-room',
  ]);
  const [pool] = one.resources!.pools;
  expect(code(candidate('a', { pools: [{ ...pool!, freeBytes: 10 * MIB }] }))).toBe('no-room');
  expect(code(candidate('a', { pools: [{ ...pool!, fault: 'gone' }] }))).toBe('bad-request');
  expect(code(candidate('a', { domainType: null }))).toBe('libvirt-unavailable');
  expect(code(candidate('a', { images: [{ ...one.resources!.images[0]!, fault: 'changed' }] }))).toBe('bad-request');
  expect(code({ ...one, host: { ...one.host, state: 'stale' } })).toBe('host-unreachable');
  expect(code({ ...one, resources: null })).toBe('not-ready');
});

test('the host with most free memory is chosen, and every other is told why not', () => {
  const hosts = [
    candidate('a'),
    candidate('b', { memoryAvailableBytes: 4_096 * MIB }, { promisedBytes: 3_500 * MIB }),
    candidate('c', { memoryAvailableBytes: 2_048 * MIB }),
    candidate('d', { images: [] }),
  ];
  const placement = choosePlace(hosts, needs);
  expect(placement).toMatchObject({ host: 'c', reason: expect.stringContaining('most free memory of 3 hosts') });
  expect('passed' in placement && placement.passed.map(({ host, reason }) => [host, reason.slice(0, 22)])).toEqual([
    ['a', 'it has less free memor'],
    ['b', 'it has less free memor'],
    ['d', 'it has no base image t'],
  ]);
});

test('when none can take it the nearest fault is told, with every host', () => {
  const full = candidate('a', { memoryAvailableBytes: 0 });
  const away = { ...candidate('b'), host: { id: 'b', name: 'b', state: 'lost' as const } };
  expect(choosePlace([away, full], needs)).toMatchObject({
    code: 'no-room',
    reason: expect.stringContaining('b: it does'),
  });
  expect(choosePlace([away], needs)).toMatchObject({ code: 'host-unreachable' });
  expect(choosePlace([full, away], { ...needs, base: 'none' })).toMatchObject({ code: 'not-found' });
  expect(choosePlace([], needs)).toMatchObject({ code: 'not-found' });
});
