import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Host } from '../../../common/model/host.ts';
import type { BaseImage, HostResources } from '../../../common/model/resources.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { imageRoutes } from './routes.ts';

const id = (n: number) => String(n).padStart(32, '0');
const image = (name: string, change: Partial<BaseImage> = {}): BaseImage => ({
  ...{
    name,
    pool: 'default',
    path: `/p/${name}.qcow2`,
    format: 'qcow2',
    virtualBytes: 2,
    fileBytes: 1,
    registeredMs: 1,
  },
  ...change,
});
const offered: Record<string, BaseImage[]> = {
  [id(1)]: [image('tiny', { clones: 3 }), image('debian', { fault: 'Its file is gone.' })],
  [id(2)]: [image('tiny')],
};
const hosts = [
  { id: id(1), name: 'node1', state: 'online' },
  { id: id(2), name: 'node2', state: 'lost' },
  { id: id(3), name: 'node3', state: 'online' },
] as Host[];

let edge: Edge;
let headers: Record<string, string>;
let dispatched: unknown[];
beforeEach(async () => {
  edge = await startEdge();
  dispatched = [];
  const rest: Omit<HostResources, 'images'> = { pools: [], networks: [], domainType: 'qemu', memoryAvailableBytes: 1 };
  await edge.swapRoutes(
    imageRoutes({
      inventory: { hosts: () => hosts, host: (one) => hosts.find((host) => host.id === one) },
      resources: {
        of: (host) => (offered[host] === undefined ? null : { resources: { ...rest, images: offered[host] } }),
      },
      commands: {
        dispatch(request) {
          dispatched.push(request);
          const { verb, host, actor, opId = 'made' } = request;
          return {
            ...{ id: opId, verb, host, hostName: 'node', actor, state: 'planned', progress: null, instance: null },
            ...{ instanceName: null, createdMs: 1, startedMs: null, endedMs: null, error: null, result: null },
          };
        },
      },
    }),
  );
  headers = { ...edge.bearer('admin').headers, 'Content-Type': 'application/json' };
});
afterEach(() => edge.stop());

const get = async (path: string) => (await edge.ask(path, { headers })).json as { err: string | null; data: never };
const send = async (method: string, path: string, body?: unknown) => {
  const answer = await edge.ask(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, err: answer.json.err };
};

it('the images of all hosts are listed by name, with what is known of hosts that are away', async () => {
  const { data } = await get('/api/v1/images');
  const rows = (data as { name: string; hostName: string; stale: boolean; usedBy: number; fault?: string }[]).map(
    (row) => [...[row.name, row.hostName, row.stale, row.usedBy, row.fault]],
  );
  expect(rows).toEqual([
    ['debian', 'node1', false, 0, 'Its file is gone.'],
    ['tiny', 'node1', false, 3, undefined],
    ['tiny', 'node2', true, 0, undefined],
  ]);
  expect(((await get(`/api/v1/images?host=${id(2)}`)).data as unknown[]).length).toBe(1);
  expect((await get('/api/v1/images?host=node1')).err).toBe('bad-request');
});

it('one is registered and forgotten by a job of its host', async () => {
  const args = {
    name: 'tiny',
    pool: 'default',
    file: 'a/tiny.qcow2',
    format: 'qcow2',
    kernel: 'a/vmlinuz',
    cmdline: 'x',
  };
  expect(await send('POST', '/api/v1/images', { host: id(1), ...args, opId: 'register-1' })).toMatchObject({
    status: 202,
  });
  expect(await send('DELETE', `/api/v1/images/${id(1)}/tiny?opId=forget-01`)).toMatchObject({ status: 202 });
  expect(dispatched).toEqual([
    { verb: 'register-image', instance: null, host: id(1), args, opId: 'register-1', actor: 'admin@test' },
    {
      verb: 'forget-image',
      instance: null,
      host: id(1),
      args: { name: 'tiny' },
      opId: 'forget-01',
      actor: 'admin@test',
    },
  ]);
});

it('what is no image of a host is refused before anything is sent', async () => {
  const body = { host: id(1), name: 'tiny', pool: 'default', file: 'tiny.qcow2', format: 'qcow2' };
  for (const change of [
    ...[
      { host: 'node1' },
      { name: '../x' },
      { name: '-f' },
      { name: 'A' },
      { pool: '/etc' },
      { file: '' },
      { format: 'vmdk' },
    ],
    ...[{ cmdline: 'a\nb' }, { backing: '/etc/passwd' }, { file: 'x'.repeat(600) }, { opId: 'x' }],
  ])
    expect([change, await send('POST', '/api/v1/images', { ...body, ...change })]).toMatchObject([
      change,
      { status: 400 },
    ]);
  expect(await send('POST', '/api/v1/images', { ...body, host: id(9) })).toEqual({ status: 404, err: 'not-found' });
  expect(await send('DELETE', `/api/v1/images/${id(9)}/tiny`)).toEqual({ status: 404, err: 'not-found' });
  expect(await send('DELETE', `/api/v1/images/${id(1)}/..%2ftiny`)).toMatchObject({ status: 404 });
  expect(dispatched).toEqual([]);
});
