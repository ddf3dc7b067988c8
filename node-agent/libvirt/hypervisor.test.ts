import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import winston from 'winston';
import { isWebvirtError } from '../../common/errors.ts';
import type { NewLine } from '../../common/model/line.ts';
import { createHypervisor, type Hypervisor } from './hypervisor.ts';
import type { HypervisorEvent } from './hypervisor-events.ts';

const log = winston.createLogger({ silent: true });
const ONE = 'aaaaaaaa-0000-4000-8000-000000000001';
const TWO = 'aaaaaaaa-0000-4000-8000-000000000002';
const domain = (name: string, uuid: string, more = '') =>
  `<domain type='test' ${more}><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>64</memory><vcpu>2</vcpu>
<os><type>hvm</type></os></domain>`;

let folder: string;
let stops: (() => unknown)[];
let heard: HypervisorEvent[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-hypervisor-'));
  stops = [];
  heard = [];
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  rmSync(folder, { recursive: true });
});

/** A libvirt of its own: the test driver reads this file and keeps everything in memory. */
function testUri(...domains: string[]): string {
  const path = join(folder, 'node.xml');
  writeFileSync(path, `<node>${domains.join('')}</node>`);
  return `test://${path}`;
}

async function started(uri: string, more: Partial<Parameters<typeof createHypervisor>[0]> = {}): Promise<Hypervisor> {
  const config = { uri, sampleEveryMs: 60_000, virshPath: 'virsh', qemuLogDir: folder, runDir: folder, ...more };
  const emit = (_line: NewLine) => undefined;
  const hypervisor = createHypervisor(config, { emit, log, now: Date.now });
  stops.push(() => hypervisor.stop());
  hypervisor.on((event) => heard.push(event));
  await hypervisor.start();
  return hypervisor;
}

function until(hypervisor: Hypervisor, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return;
      off();
      resolve();
    };
    const off = hypervisor.on(look);
    look();
  });
}

test('lists what is there, whole, and tells a change', async () => {
  const hypervisor = await started(testUri(domain('one', ONE), domain("a b' &quot;", TWO)));
  await until(hypervisor, () => hypervisor.listed());
  expect(hypervisor.instance(ONE)).toEqual({
    id: ONE,
    name: 'one',
    state: 'running',
    vcpus: 2,
    memoryBytes: 64 * 1024 * 1024,
    autostart: false,
    persistent: true,
    disks: [],
    nics: [],
  });
  expect(hypervisor.facts()).toMatchObject({ libvirtAnswers: true, hypervisor: { driver: 'test' } });
  heard.length = 0;
  expect(await hypervisor.run(['suspend'], ONE, { deadlineMs: 60_000 })).toMatchObject({ ended: 'exit', code: 0 });
  expect(await hypervisor.observe(ONE)).toMatchObject({ state: 'paused', stateReason: 'user' });
  expect(heard).toContainEqual({ t: 'instance', id: ONE });
});

test('an instance named 1 beside the running id 1 is never taken for it', async () => {
  const hypervisor = await started(testUri(domain('one', ONE), domain('1', TWO)));
  await until(hypervisor, () => hypervisor.listed());
  await hypervisor.run(['destroy'], TWO, { deadlineMs: 60_000 });
  expect((await hypervisor.observe(TWO))?.state).toBe('shutoff');
  expect((await hypervisor.observe(ONE))?.state).toBe('running');
  expect(hypervisor.idOf('1')).toBe(TWO);
});

test('an instance named like a UUID is never acted on in place of the one with that UUID', async () => {
  const hypervisor = await started(testUri(domain(TWO, ONE)));
  await until(hypervisor, () => hypervisor.listed());
  expect(await hypervisor.observe(TWO)).toBeNull();
  const error = await hypervisor.run(['destroy'], TWO, { deadlineMs: 60_000 }).catch((caught: unknown) => caught);
  expect(isWebvirtError(error, 'ambiguous')).toBe(true);
  expect((await hypervisor.observe(ONE))?.state).toBe('running');
});

test('words and ids that are not ours never reach virsh', async () => {
  const hypervisor = await started(testUri(domain('one', ONE)));
  await until(hypervisor, () => hypervisor.listed());
  for (const id of ['one', '1', `${ONE};destroy`, '--all', `${ONE}\nquit`, ''])
    expect(isWebvirtError(await hypervisor.observe(id).catch((e: unknown) => e), 'bad-request')).toBe(true);
  const bad = await hypervisor.run(['vol-delete'], ONE, { deadlineMs: 100 }).catch((e: unknown) => e);
  expect(isWebvirtError(bad, 'bad-request')).toBe(true);
});

test('without a daemon the test driver is shown, and said to be', async () => {
  const hypervisor = await started(`qemu+unix:///system?socket=${join(folder, 'absent')}`);
  await until(hypervisor, () => hypervisor.listed());
  expect(hypervisor.instances().map(({ name }) => name)).toEqual(['test']);
  const facts = hypervisor.facts();
  expect(facts).toMatchObject({ libvirtAnswers: true, hypervisor: { driver: 'test', uri: 'test:///default' } });
  expect(facts.limited).toContain('No libvirt daemon');
});

test('without virsh it says so', async () => {
  const hypervisor = await started('qemu:///system', { virshPath: join(folder, 'virsh') });
  await until(hypervisor, () => hypervisor.facts().hypervisor.driver === 'none');
  expect(hypervisor.facts()).toMatchObject({ libvirtAnswers: false, limited: expect.stringContaining('virsh') });
  expect(await hypervisor.run(['start'], ONE, { deadlineMs: 100 })).toMatchObject({ ended: 'not-started' });
});

test('a daemon that takes the call and never answers does not hold up the start', async () => {
  const path = join(folder, 'silent');
  const server: Server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  stops.push(() => server.close());
  const hypervisor = await started(`qemu+unix:///system?socket=${path}`, { readDeadlineMs: 300 });
  await until(hypervisor, () => heard.some(({ t }) => t === 'host'));
  // It is a real one that hangs: nothing made up is shown.
  expect(hypervisor.facts()).toMatchObject({ libvirtAnswers: false, hypervisor: { driver: 'qemu' } });
  expect([hypervisor.listed(), hypervisor.instances()]).toEqual([false, []]);
});
