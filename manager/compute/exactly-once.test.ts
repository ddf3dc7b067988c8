import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isWebvirtError } from '../../common/errors.ts';
import type { OutputEvent } from '../../common/model/compute.ts';
import { startComputeRig } from '../../test/support/compute-rig.ts';
import type { Compute } from './compute.ts';

let folder: string;
let stops: (() => void)[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wv-once-'));
  stops = [];
});
afterEach(() => {
  for (const stop of stops.reverse()) stop();
  rmSync(folder, { recursive: true, force: true });
});

function world({ name = 'a', ...options }: { name?: string } & Parameters<typeof startComputeRig>[1] = {}) {
  const rig = startComputeRig(join(folder, name), options);
  stops.push(rig.close);
  return rig;
}

const out = (text: string): OutputEvent => ({ type: 'stdout', cell: 1, text });
const STARTED: OutputEvent = { type: 'started', cell: 1 };
const open = ({ compute }: { compute: Compute }, over: object = {}) =>
  compute.open({ kernel: 'python', owner: 'me', ...over }).id;

it('acks what is on the disk and nothing before, and stores a replay once', async () => {
  const one = world();
  one.up();
  const id = open(one);
  one.compute.execute(id, { code: 'x', actor: 'me' });
  // One sync each; they are over before.
  await one.until(() => one.syncs() === 2);
  await new Promise((resolve) => setImmediate(resolve));
  let synced: () => void = () => {};
  one.faults.sync = new Promise((resolve) => {
    synced = resolve;
  });
  one.events(id, 0, [STARTED, out('a'), out('b')]);
  await one.until(() => one.syncs() === 3);
  await new Promise((resolve) => setImmediate(resolve));
  expect(one.acks().filter((next) => next > 0)).toEqual([]);
  one.events(id, 1, [out('a'), out('b'), out('c')]);
  synced();
  await one.until(() => one.acks().includes(4));
  one.events(id, 0, [STARTED, out('a')]);
  expect(one.textOf(id)).toEqual(['0 input', '1 started', '2 a', '3 b', '4 c']);
});

it('says so where events of a host are missing', () => {
  const one = world();
  one.up();
  const id = open(one);
  one.events(id, 0, [STARTED]);
  one.events(id, 3, [out('d')]);
  expect(one.textOf(id)).toEqual(['0 started', '1 skipped', '2 d']);
  expect(one.compute.output(id, 1, 1).events[0]?.event).toMatchObject({
    reason: '2 events of its host did not arrive',
  });
});

it('gives what an unwritten step lost the same numbers again when the agent repeats it', async () => {
  const one = world();
  one.up();
  const id = open(one, { opId: 'session-1' });
  one.compute.execute(id, { code: 'x', opId: 'cell-0001', actor: 'me' });
  one.events(id, 0, [STARTED, out('a')]);
  await one.until(() => one.acks().includes(2));
  one.events(id, 2, [out('b')]);
  const seen = one.textOf(id);
  // As a killed process leaves them: what was written in this very step is not there.
  cpSync(join(folder, 'a'), join(folder, 'b'), { recursive: true });
  const two = world({ name: 'b' });
  expect(two.textOf(id)).toEqual(seen.slice(0, 3));
  expect(two.compute.get(id)).toMatchObject({ state: 'lost', cells: 1, runningCell: 1 });
  two.up([{ session: id, next: 3, cells: 1 }]);
  expect(two.acks()).toEqual([2]);
  two.events(id, 2, [out('b'), { type: 'ended', cell: 1, status: 'ok', elapsedMs: 1 }]);
  expect(two.textOf(id)).toEqual([...seen, '4 ended']);
  expect(two.compute.get(id).state).toBe('idle');
  expect(two.requests()).toEqual([]);
  // The opIds are known after it, too.
  expect(open(two, { opId: 'session-1' })).toBe(id);
  expect(two.compute.execute(id, { code: 'x', opId: 'cell-0001', actor: 'me' })).toEqual({ cell: 1 });
});

it('sends a cell again that was lost with the link, and no other', async () => {
  const one = world();
  one.up();
  const id = open(one);
  for (const code of ['x', 'y', 'z']) one.compute.execute(id, { code, actor: 'me' });
  one.events(id, 0, [STARTED, { type: 'ended', cell: 1, status: 'ok', elapsedMs: 1 }]);
  one.compute.hostService.down('h1');
  expect(one.compute.get(id).state).toBe('lost');
  one.sent.length = 0;
  one.up([{ session: id, next: 2, cells: 2 }]);
  expect(one.requests()).toEqual([{ op: 'execute', cell: 3, code: 'z' }]);
  expect(one.compute.get(id).state).toBe('busy');
});

it('ends sessions on a host that it does not know', async () => {
  const one = world();
  one.up([{ session: 'stranger-1', next: 7 }]);
  expect(one.acks()).toEqual([7]);
  expect(one.requests()).toEqual([{ op: 'terminate', reason: expect.any(String) }]);
  one.events('stranger-1', 7, [{ type: 'died', cell: null, death: { cause: 'terminated', text: '' } }]);
  expect(one.acks()).toEqual([7, 8]);
});

it('does nothing that it cannot store, and takes it when it can again', async () => {
  const one = world();
  one.up();
  const id = open(one);
  one.faults.write = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const refused = (work: () => unknown) => {
    try {
      work();
      return 'done';
    } catch (error) {
      return isWebvirtError(error, 'store-unavailable') ? 'refused' : error;
    }
  };
  const before = one.sent.length;
  expect(refused(() => one.compute.execute(id, { code: 'x', opId: 'cell-0001', actor: 'me' }))).toBe('refused');
  expect(refused(() => open(one))).toBe('refused');
  expect(one.sent.length).toBe(before);
  expect(one.compute.get(id)).toMatchObject({ cells: 0, nextSeq: 0 });
  expect(one.compute.list()).toHaveLength(1);
  one.faults.write = null;
  expect(one.compute.execute(id, { code: 'x', opId: 'cell-0001', actor: 'me' })).toEqual({ cell: 1 });
  expect(one.textOf(id)).toEqual(['0 input']);
});

it('asks the next host when one refuses, and sends it the cells that wait', async () => {
  const one = world({ hosts: ['h1', 'h2'] });
  one.up([], 'h1');
  one.up([], 'h2');
  const id = open(one);
  one.compute.execute(id, { code: 'x', actor: 'me' });
  const error = { code: 'no-capacity', message: 'full' };
  one.compute.hostService.take('h1', { t: 'compute-opened', session: id, error });
  const toSecond = one.sent.filter(({ host }) => host === 'h2').map(({ message }) => message);
  expect(toSecond).toEqual([
    { t: 'compute', session: id, request: { op: 'open', kernel: 'python', owner: 'me' } },
    { t: 'compute', session: id, request: { op: 'execute', cell: 1, code: 'x' } },
  ]);
  expect(one.compute.get(id)).toMatchObject({ host: 'h2', hostName: 'name-h2', state: 'starting' });
  one.compute.hostService.take('h2', { t: 'compute-opened', session: id, error });
  expect(one.compute.get(id).death).toMatchObject({ cause: 'refused', text: expect.stringContaining('full') });
});

it('forgets ended sessions beyond what is kept, and gives those of removed hosts up', async () => {
  const one = world({ config: { keepSessions: 1 } });
  one.up();
  const ids = [open(one), open(one), open(one)];
  for (const id of ids.slice(0, 2))
    one.events(id, 0, [{ type: 'died', cell: null, death: { cause: 'exit', text: '' } }]);
  const forgotten = new Promise<void>((resolve) => {
    one.bus.on('session', () => {
      if (!one.compute.list().some(({ id }) => id === ids[0])) resolve();
    });
  });
  one.compute.start();
  stops.push(() => void one.compute.stop());
  const told: Promise<void> = new Promise((resolve) => {
    const watcher = one.compute.attach(ids[2]!, 0, { hasRoom: () => true, send: () => resolve() });
    watcher.pump();
  });
  one.compute.hostService.down('h1');
  one.hosts.length = 0;
  await told;
  expect(one.compute.get(ids[2]!).death?.cause).toBe('host-gone');
  await forgotten;
  expect(one.compute.list().map(({ id }) => id)).toContain(ids[2]);
});
