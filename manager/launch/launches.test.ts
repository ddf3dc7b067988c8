import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isWebvirtError } from '../../common/errors.ts';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { HostResources } from '../../common/model/resources.ts';
import { createWorld } from '../commands/testing.ts';
import type { StateStore } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { createKnownResources, type KnownResources } from './host-resources.ts';
import { instanceIdOf } from './instance-id.ts';
import { createLaunches, type Launches } from './launches.ts';

const MIB = 1024 * 1024;
let folder: string;
let state: StateStore;
let world: ReturnType<typeof createWorld>;
let resources: KnownResources;
let launches: Launches;
let instances: Instance[];
let hosts: Host[];

const offered = (memoryMib: number): HostResources => ({
  pools: [{ name: 'default', path: '/p', totalBytes: 9_000 * MIB, freeBytes: 5_000 * MIB, shared: false }],
  images: [
    {
      name: 'tiny',
      pool: 'default',
      path: '/p/tiny',
      format: 'qcow2',
      virtualBytes: MIB,
      fileBytes: 1,
      registeredMs: 1,
    },
  ],
  ...{ networks: [], domainType: 'qemu', memoryAvailableBytes: memoryMib * MIB },
});
let refusals: unknown[];
const quiet = {
  info: () => undefined,
  warn: (_message: string, fields: Record<string, unknown>) => void refusals.push(fields['code']),
};
const known = () => createKnownResources({ ...state, bus: world.bus, log: quiet, nowMs: () => world.deps.nowMs() });

beforeEach(() => {
  refusals = [];
  folder = mkdtempSync(join(tmpdir(), 'webvirt-launches-'));
  state = openStateStore(join(folder, 'state.sqlite'));
  world = createWorld(state.jobs);
  hosts = ['h1', 'h2'].map((id) => ({ id, name: id, state: 'online' }) as Host);
  instances = [{ id: 'x', name: 'Web', host: 'h1', hostName: 'h1', state: 'running', stale: false } as Instance];
  resources = known();
  resources.take('h1', { t: 'resources', resources: offered(1_000) });
  resources.take('h2', { t: 'resources', resources: offered(2_000) });
  launches = make();
});
afterEach(() => {
  world.commands.stop();
  state.close();
  rmSync(folder, { recursive: true });
});

const make = () =>
  createLaunches({
    ...{ commands: world.commands, resources, log: quiet },
    inventory: {
      hosts: () => hosts,
      host: (id) => hosts.find((host) => host.id === id) ?? null,
      instances: () => instances,
      instance: (id) => instances.find((one) => one.id === id) ?? null,
    },
  });
const launch = (change = {}) =>
  launches.launch({ name: 'one', base: 'tiny', vcpus: 1, memoryBytes: 64 * MIB, actor: 'anna', ...change });
function refused(change: object): string | undefined {
  try {
    launch(change);
  } catch (error) {
    return isWebvirtError(error) ? error.code : String(error);
  }
  return undefined;
}
const commandsSent = () =>
  world.sent.flatMap(({ host, message }) => (message.t === 'command' ? [{ host, ...message.command }] : []));

test('a launch goes to the host with most free memory, under a UUID of its own', () => {
  const { job, placement } = launch({ opId: 'launch-1', diskBytes: MIB + 1 });
  expect(placement).toMatchObject({ host: 'h2', passed: [{ host: 'h1' }] });
  expect(job).toMatchObject({
    id: 'launch-1',
    verb: 'launch',
    instance: instanceIdOf('launch-1'),
    instanceName: 'one',
  });
  const args = { name: 'one', base: 'tiny', vcpus: 1, memoryBytes: 64 * MIB, diskBytes: 2 * MIB, autostart: false };
  expect(commandsSent()).toMatchObject([{ host: 'h2', verb: 'launch', instance: job.instance, args }]);
});

test('the same call again is the same job at the same place, also after a restart; another one under its opId is refused', () => {
  const first = launch({ opId: 'launch-1' });
  // Now the other host would be chosen.
  resources.take('h1', { t: 'resources', resources: offered(9_000) });
  expect(launch({ opId: 'launch-1' })).toEqual(first);
  expect(refused({ opId: 'launch-1', vcpus: 2 })).toBe('op-id-reused');
  expect(refused({ opId: 'launch-1', name: 'two' })).toBe('op-id-reused');
  launches = make();
  expect(launch({ opId: 'launch-1' })).toEqual(first);
  expect(commandsSent()).toHaveLength(1);
});

test('a name is taken by an instance, by a launch under way, and by one whose outcome is not known while its host is away', () => {
  expect(refused({ name: 'web' })).toBe('name-taken');
  const { job } = launch({ opId: 'launch-1' });
  expect(refused({ host: 'h1' })).toBe('name-taken');
  state.jobs.update({ ...state.jobs.get(job.id)!, state: 'unknown' });
  hosts[1]!.state = 'lost';
  expect(refused({})).toBe('name-taken');
  hosts[1]!.state = 'online';
  expect(refused({})).toBeUndefined();
});

test.each(['', '1', '007', 'Web', '-a', 'a b', 'a/b', '日本', 'a\0', 'aaaaaaaa-0000-4000-8000-000000000001'])(
  'no instance is called %j',
  (name) => {
    expect(refused({ name })).toBe('bad-name');
    expect(refusals).toEqual(['bad-name']);
    expect(commandsSent()).toEqual([]);
  },
);

test('memory that was promised a moment ago is not promised again', () => {
  const memoryBytes = 900 * MIB;
  expect(launch({ name: 'a', memoryBytes }).placement.host).toBe('h2');
  expect(launch({ name: 'b', memoryBytes }).placement.host).toBe('h2');
  expect(launch({ name: 'c', memoryBytes }).placement.host).toBe('h1');
  expect(refused({ name: 'd', memoryBytes })).toBe('no-room');
});

test('memory of a launch whose outcome is not known is not promised for ever', () => {
  const { job } = launch({ name: 'a', memoryBytes: 900 * MIB, host: 'h1' });
  const atMs = world.deps.nowMs();
  state.jobs.update({ ...state.jobs.get(job.id)!, state: 'unknown', endedMs: atMs });
  expect(refused({ name: 'b', memoryBytes: 900 * MIB, host: 'h1' })).toBe('no-room');
  world.deps.nowMs = () => atMs + 1;
  resources.take('h1', { t: 'resources', resources: offered(1_000) });
  expect(refused({ name: 'b', memoryBytes: 900 * MIB, host: 'h1' })).toBeUndefined();
});

test('the job keeps why its host was chosen', () => {
  const { job, placement } = launch({ opId: 'launch-1' });
  expect(world.commands.get(job.id)?.placement).toEqual(placement);
  world.commands.onReport('h2', {
    ...{ opId: job.id, verb: 'launch', instance: job.instance, state: 'done', final: true, progress: null },
    ...{ startedMs: 1, endedMs: 2, error: null, result: {} },
  });
  expect(world.commands.get(job.id)).toMatchObject({ state: 'done', placement });
});

test('what hosts have is known again after a restart', () => {
  resources.take('h1', { t: 'resources', resources: offered(3) });
  resources.stop();
  expect(known().of('h1')?.resources).toEqual(offered(3));
  expect(known().of('h3')).toBeNull();
});

test('a deletion asks for the name, and a retry of it finds its job when the instance is gone', () => {
  const id = Object.keys(world.instances)[0]!;
  instances = [{ ...instances[0]!, id, name: 'web', state: 'shutoff' }];
  const remove = (change = {}) =>
    launches.remove({ id, name: 'web', force: false, opId: 'delete-1', actor: 'anna', ...change });
  expect(() => remove({ name: 'Web' })).toThrow('not the name');
  expect(() => remove({ id: 'nobody' })).toThrow('no instance');
  instances[0]!.state = 'running';
  expect(() => remove()).toThrow('running');
  expect(commandsSent()).toEqual([]);
  const job = remove({ force: true });
  expect(commandsSent()).toMatchObject([{ verb: 'delete', instance: id, args: { force: true } }]);
  instances = [];
  expect(remove({ force: true })).toEqual(job);
  expect(commandsSent()).toHaveLength(1);
});
