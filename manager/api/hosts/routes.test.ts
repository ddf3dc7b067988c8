import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Host } from '../../../common/model/host.ts';
import type { Instance } from '../../../common/model/instance.ts';
import type { HostResources } from '../../../common/model/resources.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { listRoutes } from '../list/routes.ts';
import { sampleRoutes } from '../samples/routes.ts';
import { hostRoutes } from './routes.ts';

const id = (n: number) => String(n).padStart(32, '0');

function host(n: number, over: Partial<Host> = {}): Host {
  return {
    ...{ id: id(n), name: `node${n}`, address: `10.77.0.${n}`, port: 4601, state: 'online', agentVersion: '0.1.0' },
    ...{ hypervisor: 'qemu', libvirtUri: 'qemu:///system', cpus: 4, memoryBytes: 8, libvirtAnswers: true, load: null },
    ...{ seenMs: 1, stateSinceMs: 1, clockOffsetMs: 0, instanceCount: 1, runningCount: 1, spoolLines: 0 },
    ...over,
  };
}
const instance = {
  ...{ id: 'i1', name: 'web1', state: 'running', vcpus: 1, memoryBytes: 1, autostart: false, persistent: true },
  ...{ host: id(2), hostName: 'node2', hostState: 'online', stale: false, changedMs: 1, load: null, busyJob: null },
} as Instance;

let edge: Edge;
let asked: unknown[];
beforeEach(async () => {
  asked = [];
  const hosts = [host(2, { state: 'stale' }), host(1, { secret: 'x' } as never)];
  const inventory = {
    hosts: () => hosts,
    host: (one: string) => hosts.find((h) => h.id === one),
    instances: () => [instance],
  };
  const samples = {
    series: async (...wanted: unknown[]) => {
      asked.push(wanted);
      return [{ id: id(1), tsMs: [1], cpuRatio: [0.5], memoryUsedBytes: [2] }];
    },
  };
  edge = await startEdge();
  await edge.swapRoutes([
    ...hostRoutes({ inventory, resources: { of: (host) => (host === id(2) ? { resources } : null) } }),
    ...listRoutes({ inventory }),
    ...sampleRoutes({ samples, nowMs: () => 10_000_000 }),
  ]);
});
afterEach(() => edge.stop());

const resources: HostResources = {
  ...{ pools: [], images: [], networks: [], domainType: 'qemu', memoryAvailableBytes: 7 },
};

async function get(path: string) {
  const { json } = await edge.ask(path, { headers: edge.bearer('admin').headers });
  return json as { err: string | null; data: never };
}

it('hosts are listed by name with nothing that the schema does not name', async () => {
  const { data } = await get('/api/v1/hosts');
  expect((data as Host[]).map(({ name, state }) => [name, state])).toEqual([
    ['node1', 'online'],
    ['node2', 'stale'],
  ]);
  expect(JSON.stringify(data)).not.toContain('secret');
  expect((await get(`/api/v1/hosts/${id(2)}`)).data).toMatchObject({ name: 'node2' });
  expect((await get(`/api/v1/hosts/${id(3)}`)).err).toBe('not-found');
  expect((await get('/api/v1/hosts/node1')).err).toBe('bad-request');
});

it('what a host has is told with its age, and not made up before the host has said it', async () => {
  const { data } = await get(`/api/v1/hosts/${id(2)}/resources`);
  expect(data).toEqual({ host: id(2), hostName: 'node2', stale: true, ...resources });
  expect((await get(`/api/v1/hosts/${id(1)}/resources`)).err).toBe('not-ready');
  expect((await get(`/api/v1/hosts/${id(3)}/resources`)).err).toBe('not-found');
});

it('a host is touched by what happens to it and to its instances only', () => {
  const [, one] = hostRoutes({ inventory: { hosts: () => [], host: () => null }, resources: { of: () => null } });
  const touches = (event: object) => one!.live!.touches!(event, { id: id(1) });
  expect([{ id: id(1) }, { id: 'i9', host: id(1) }].map(touches)).toEqual([true, true]);
  expect([{ id: id(2) }, { id: 'i9', host: id(2) }].map(touches)).toEqual([false, false]);
});

it('the short lists answer in the envelope', async () => {
  expect((await get('/list/daemons')).data).toContainEqual({
    ...{ id: id(2), name: 'node2', ip: '10.77.0.2', port: 4601, state: 'stale' },
  });
  const vm = { id: 'i1', name: 'web1', state: 'running', ip: '10.77.0.2', host: 'node2' };
  expect((await get('/list/vms')).data).toEqual([vm]);
  expect((await get('/list/vms/10.77.0.2')).data).toEqual([vm]);
  expect((await get('/list/vms/10.77.0.1')).data).toEqual([]);
  expect((await get('/list/vms/10.77.0.9')).err).toBe('not-found');
  for (const wrong of ['node2', '10.77.0.2%0a', '010.77.0.2', '1'])
    expect((await get(`/list/vms/${wrong}`)).err).toMatch(/bad-request|not-found/);
});

it('samples are asked of the store in its own terms', async () => {
  expect((await get('/api/v1/samples?kind=host')).data).toHaveLength(1);
  await get(`/api/v1/samples?kind=instance&ids=${id(1)},${id(2)},${id(1)}&lastMs=60000&points=10`);
  await get('/api/v1/samples?kind=host&from=1970-01-01T00:00:05Z');
  expect(asked).toEqual([
    ['host', { fromMs: 10_000_000 - 900_000, points: 60 }],
    ['instance', { ids: [id(1), id(2)], fromMs: 9_940_000, points: 10 }],
    ['host', { fromMs: 5_000, points: 60 }],
  ]);
  for (const wrong of ['', '?kind=vm', '?kind=host&ids=a%27b', '?kind=host&points=0', '?kind=host&lastMs=-1'])
    expect((await get(`/api/v1/samples${wrong}`)).err).toBe('bad-request');
});
