import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OutputEvent } from '../../common/model/compute.ts';
import { startComputeRig } from '../../test/support/compute-rig.ts';

// What is to happen when a store, a host or a session does not do as it should.

let folder: string;
let close: () => void;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wv-trouble-'));
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true, force: true });
});

function world(options: Parameters<typeof startComputeRig>[1] = {}) {
  const rig = startComputeRig(folder, options);
  close = rig.close;
  for (const host of rig.hosts) rig.up([], host);
  return rig;
}
const full = () => Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
const out = (text: string): OutputEvent => ({ type: 'stdout', cell: 1, text });

it('does not open a session elsewhere that was stopped before its host refused it', () => {
  const one = world({ hosts: ['h1', 'h2'] });
  const { id } = one.compute.open({ kernel: 'python', owner: 'me' });
  one.compute.terminate(id, 'me');
  one.compute.hostService.take('h1', {
    t: 'compute-opened',
    session: id,
    error: { code: 'no-capacity', message: 'full' },
  });
  expect(one.sent.filter(({ host, message }) => host === 'h2' && message.t === 'compute')).toEqual([]);
  expect(one.compute.get(id)).toMatchObject({
    state: 'dead',
    death: { cause: 'terminated', text: expect.any(String) },
  });
});

it('runs a cell that could not be stored when the same run is asked for again', async () => {
  const one = world();
  const run = { code: 'x', kernel: 'python', owner: 'me', timeoutMs: 0, keep: false };
  // The session is stored, then the disk is full.
  one.faults.after = full();
  await expect(one.compute.run({ ...run, opId: 'my-run-001' })).rejects.toMatchObject({ code: 'store-unavailable' });
  one.faults.write = null;
  expect(await one.compute.run({ ...run, opId: 'my-run-001' })).toMatchObject({ status: 'running', cell: 1 });
  expect(one.requests().filter(({ op }) => op === 'execute')).toEqual([{ op: 'execute', cell: 1, code: 'x' }]);
  one.faults.after = full();
  await expect(one.compute.run(run)).rejects.toMatchObject({ code: 'store-unavailable' });
  expect(one.requests().at(-1)).toEqual({ op: 'terminate', reason: 'its cell could not be stored' });
});

it('ends a session whose output never ends', () => {
  const one = world({ config: { sessionBytes: 3 * 1024 ** 2 } });
  const { id } = one.compute.open({ kernel: 'python', owner: 'me' });
  const text = 'x'.repeat(1024 ** 2);
  one.events(id, 0, [out(text), out(text)]);
  expect(one.requests().filter(({ op }) => op === 'terminate')).toEqual([]);
  one.events(id, 2, [out(text)]);
  one.events(id, 3, [out(text)]);
  expect(one.requests().filter(({ op }) => op === 'terminate')).toEqual([
    { op: 'terminate', reason: 'its output is above 3 MiB, the limit for a session' },
  ]);
});

it('lets only the viewer wait who needs what the store cannot give now', async () => {
  const one = world();
  const { id } = one.compute.open({ kernel: 'python', owner: 'me' });
  let room = false;
  const got: number[] = [];
  let caughtUp: () => void;
  const all = new Promise<void>((resolve) => {
    caughtUp = resolve;
  });
  const slow = one.compute.attach(id, 0, {
    hasRoom: () => room,
    send(events) {
      got.push(...events.map(({ seq }) => seq));
      if (got.length === 4) caughtUp();
    },
  });
  slow.pump();
  const synced = one.syncs();
  one.events(id, 0, [out('a'.repeat(800_000)), out('b')]);
  await one.until(() => one.syncs() > synced);
  one.faults.write = full();
  room = true;
  one.events(id, 2, [out('c')]);
  const late: string[] = [];
  const quick = one.compute.attach(id, 3, { hasRoom: () => true, send: (events) => late.push(...events.map(String)) });
  quick.pump();
  one.events(id, 3, [out('d')]);
  expect([got, late.length]).toEqual([[], 1]);
  one.faults.write = null;
  await all;
  expect(got).toEqual([0, 1, 2, 3]);
});
