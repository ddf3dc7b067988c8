import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentInstance } from '../../common/model/instance.ts';
import { createBus } from '../bus/bus.ts';
import type { SampleRow, StateStore } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { createInventory } from './inventory.ts';
import type { HelloMessage, Inventory } from './inventory-ports.ts';

const VM = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const CONFIG = { staleAfterMs: 10_000, lostAfterMs: 60_000, checkEveryMs: 1, saveEveryMs: 1 };
const vm = (over: Partial<AgentInstance> = {}): AgentInstance => {
  const base = { id: VM, name: 'web', state: 'running' as const, vcpus: 1, memoryBytes: 1 };
  return { ...base, autostart: false, persistent: true, ...over };
};
const facts = (name: string) => {
  const hypervisor = { driver: 'qemu', uri: 'qemu:///system' };
  return { name, cpus: 4, memoryBytes: 8, hypervisor, libvirtAnswers: true };
};
const hello = (name: string): HelloMessage => {
  return { t: 'hello', v: 1, version: '1.0', clockMs: 900_000, host: facts(name), epochs: [] };
};

let dir: string;
let state: StateStore;
let inventory: Inventory;
let clockMs: number;
let told: string[];
let samples: SampleRow[];
let alarms: string[];

function start(): void {
  const bus = createBus((error) => {
    throw error;
  });
  bus.on('host', ({ id }) => told.push(`host ${id}`));
  bus.on('instance', ({ id, host }) => told.push(`instance ${id.slice(0, 4)} ${host}`));
  bus.on('instance-gone', ({ id }) => told.push(`gone ${id.slice(0, 4)}`));
  bus.on('samples', ({ host }) => told.push(`samples ${host}`));
  const log = { info() {}, warn() {}, error: (text: string) => void alarms.push(text) };
  const append = async (rows: SampleRow[]) => void samples.push(...rows);
  const deps = { stores: state, samples: { append, series: async () => [] }, bus, log };
  inventory = createInventory(CONFIG, { ...deps, nowMs: () => 1_000_000 + clockMs, monotonicMs: () => clockMs });
  inventory.start();
}
function enrol(id: string): void {
  const place = { id, address: '10.0.0.1', port: 4601, enrolledMs: 0, enrolledBy: 'admin', agentVersion: '' };
  state.hosts.put({ ...place, facts: null, seenMs: 0, revokedMs: null });
  inventory.reload(id);
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
async function hears(): Promise<string[]> {
  await turn();
  return told.splice(0).sort();
}
async function until(test: () => boolean): Promise<void> {
  while (!test()) await turn();
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-inventory-'));
  state = openStateStore(join(dir, 'webvirt.sqlite'));
  [clockMs, told, samples, alarms] = [0, [], [], []];
  start();
});
afterEach(async () => {
  await inventory.stop();
  state.close();
  rmSync(dir, { recursive: true });
});

describe('inventory', () => {
  it('knows what agents tell, and tells each change once', async () => {
    enrol('h1');
    expect(inventory.host('h1')).toMatchObject({ name: 'h1', state: 'stale', instanceCount: 0 });
    inventory.hello('h1', hello('one'));
    inventory.message('h1', { t: 'instances', list: [vm(), vm({ id: OTHER, state: 'shutoff' })] });
    expect(await hears()).toEqual(['host h1', 'instance 1111 h1', 'instance 2222 h1']);
    const host = inventory.host('h1');
    expect(host).toMatchObject({ name: 'one', state: 'online', agentVersion: '1.0', clockOffsetMs: 100_000 });
    expect(host).toMatchObject({ instanceCount: 2, runningCount: 1, hypervisor: 'qemu', seenMs: 1_000_000 });
    inventory.message('h1', { t: 'instances', list: [vm(), vm({ id: OTHER, state: 'shutoff' })] });
    expect(await hears()).toEqual([]);
    inventory.message('h1', { t: 'instance', instance: vm({ state: 'paused' }) });
    expect(await hears()).toEqual(['host h1', 'instance 1111 h1']);
    inventory.message('h1', { t: 'instances', list: [vm({ state: 'paused' })] });
    expect(await hears()).toEqual(['gone 2222', 'host h1']);
    inventory.setBusy(VM, 'job-1');
    expect(inventory.instance(VM)).toMatchObject({
      busyJob: 'job-1',
      hostName: 'one',
      hostState: 'online',
      stale: false,
    });
    expect(await hears()).toEqual(['instance 1111 h1']);
  });

  it('keeps the last state of a host that is silent: stale, then lost, never gone', async () => {
    enrol('h1');
    inventory.hello('h1', hello('one'));
    inventory.message('h1', { t: 'instances', list: [vm()] });
    await hears();
    clockMs = 9_999;
    inventory.heard('h1');
    clockMs += 10_000;
    await until(() => inventory.host('h1')?.state === 'stale');
    expect(await hears()).toEqual(['host h1', 'instance 1111 h1']);
    expect(inventory.instance(VM)).toMatchObject({ state: 'running', hostState: 'stale', stale: true });
    clockMs += 50_000;
    await until(() => inventory.host('h1')?.state === 'lost');
    expect(inventory.instances()).toHaveLength(1);
    inventory.heard('h1');
    expect(inventory.host('h1')?.state).toBe('online');
    inventory.closed('h1');
    expect(inventory.host('h1')?.state).toBe('stale');
    inventory.heard('h1');
    expect(inventory.host('h1')?.state).toBe('stale');
  });

  it('shows after a restart what it knew before, as stale', async () => {
    enrol('h1');
    inventory.hello('h1', hello('one'));
    inventory.message('h1', { t: 'instances', list: [vm(), vm({ id: OTHER })] });
    inventory.message('h1', { t: 'instance-gone', id: OTHER });
    await inventory.stop();
    start();
    expect(inventory.host('h1')).toMatchObject({ name: 'one', state: 'stale', agentVersion: '1.0' });
    expect(inventory.instances()).toMatchObject([{ id: VM, state: 'running', stale: true, hostName: 'one' }]);
  });

  it('leaves an instance with its host until the other one really runs it', () => {
    for (const id of ['h1', 'h2']) {
      enrol(id);
      inventory.hello(id, hello(id));
    }
    inventory.message('h1', { t: 'instance', instance: vm() });
    inventory.message('h2', { t: 'instance', instance: vm({ state: 'paused' }) });
    expect(inventory.instance(VM)?.host).toBe('h1');
    inventory.message('h2', { t: 'instance', instance: vm() });
    expect(inventory.instance(VM)?.host).toBe('h1');
    inventory.message('h1', { t: 'instance', instance: vm({ state: 'shutoff' }) });
    expect(inventory.instance(VM)?.host).toBe('h2');
    inventory.message('h1', { t: 'instance-gone', id: VM });
    expect(inventory.instances()).toMatchObject([{ host: 'h2', state: 'running' }]);
  });

  it('believes the host that answers when the other was lost with the same instance, and alarms when both run it', () => {
    for (const id of ['a', 'b']) {
      enrol(id);
      inventory.hello(id, hello(id));
    }
    inventory.message('a', { t: 'instance', instance: vm() });
    inventory.closed('a');
    // Off elsewhere says nothing about the one that ran here.
    inventory.message('b', { t: 'instance', instance: vm({ state: 'shutoff' }) });
    expect(inventory.instance(VM)).toMatchObject({ host: 'a', stale: true });
    inventory.message('b', { t: 'instance', instance: vm() });
    expect(inventory.instance(VM)).toMatchObject({ host: 'b', state: 'running', stale: false });
    expect(alarms).toEqual([]);
    // It comes back and runs what it ran before: nothing changed there, and yet there are two now.
    inventory.hello('a', hello('a'));
    expect(alarms).toEqual([]);
    inventory.message('a', { t: 'instances', list: [vm()] });
    inventory.message('a', { t: 'instances', list: [vm()] });
    expect(alarms).toEqual(['An instance runs on two hosts at once']);
  });

  it('keeps samples by our own clock, and only of instances the host has', async () => {
    enrol('h1');
    inventory.hello('h1', hello('one'));
    inventory.message('h1', { t: 'instances', list: [vm()] });
    const list = [VM, OTHER].map((id) => ({ id, cpuRatio: 0.5, memoryUsedBytes: 7 }));
    inventory.message('h1', { t: 'samples', tsMs: 5, list });
    const load = { tsMs: 5, cpuRatio: 0.1, load1: 1, memoryUsedBytes: 3 };
    inventory.message('h1', { t: 'host', host: facts('one'), load, clockMs: 0, spoolLines: 12 });
    expect(inventory.instance(VM)?.load).toEqual({ cpuRatio: 0.5, memoryUsedBytes: 7, tsMs: 1_000_000 });
    expect(inventory.host('h1')).toMatchObject({ spoolLines: 12, load: { cpuRatio: 0.1, tsMs: 1_000_000 } });
    expect(await hears()).toContain('samples h1');
    await inventory.stop();
    expect(samples.map(({ id, kind, tsMs }) => [id, kind, tsMs])).toEqual([
      [VM, 'instance', 1_000_000],
      ['h1', 'host', 1_000_000],
    ]);
  });

  it('holds a host in conflict whatever it says, and lets a revoked one go', () => {
    enrol('h1');
    inventory.hello('h1', hello('one'));
    inventory.message('h1', { t: 'instance', instance: vm() });
    inventory.conflict('h1', true);
    inventory.heard('h1');
    expect(inventory.instance(VM)?.hostState).toBe('conflict');
    inventory.conflict('h1', false);
    expect(inventory.host('h1')?.state).toBe('stale');
    state.hosts.put({ ...state.hosts.get('h1')!, revokedMs: 1 });
    inventory.reload('h1');
    expect([inventory.hosts(), inventory.instances()]).toEqual([[], []]);
    inventory.message('h1', { t: 'instance', instance: vm() });
    expect(inventory.instances()).toEqual([]);
  });
});
