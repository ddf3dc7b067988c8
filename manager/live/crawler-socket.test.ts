import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Scan } from '../../common/model/discovery.ts';
import { A, B, crawlerRig, host } from '../../test/support/crawler-rig.ts';

let rig: ReturnType<typeof crawlerRig>;
beforeEach(() => {
  rig = crawlerRig();
});
afterEach(() => rig.stop());

const ready = () => rig.send('crawler:ready', { version: '0.1.0', ranges: ['10.0.0.0/24'], epochs: [] });

function scan(more: Partial<Scan> = {}): Scan {
  const none = { startedMs: 1, endedMs: null, addresses: 256, scanned: 0, up: 0, agents: 0, error: null };
  return { id: 'one', kind: 'whole', range: '10.0.0.0/24', state: 'running', actor: 'schedule', ...none, ...more };
}

it('tells the rig.crawler who is enrolled: at once, and when that changes', async () => {
  rig.state.hosts.put(host());
  await ready();
  expect(rig.emitted).toEqual([['crawler:known', { list: [{ address: '10.0.0.5', port: 4601, id: A }] }]]);
  rig.state.hosts.put(host({ id: B, address: '10.0.0.6' }));
  rig.bus.emit('host', { id: B });
  rig.bus.emit('host', { id: B });
  await expect.poll(() => rig.emitted.length).toBe(2);
  expect((rig.emitted[1]![1] as { list: unknown[] }).list).toHaveLength(2);
  // A sample of a host changes nobody.
  rig.bus.emit('host', { id: B });
  rig.crawler.stop();
  expect(rig.emitted).toHaveLength(2);
});

it('knows the rig.crawler while it is connected, and closes what it left open', async () => {
  expect(rig.crawler.ranges()).toBeNull();
  const request = { scanId: randomUUID(), kind: 'whole' as const, range: '10.0.0.0/24', actor: 'x' };
  expect(rig.crawler.run(request)).toBe(false);
  rig.state.scans.put(scan());
  await ready();
  expect(rig.state.scans.get('one')).toMatchObject({
    state: 'failed',
    error: expect.stringContaining('started again'),
  });
  expect(rig.crawler.ranges()).toEqual(['10.0.0.0/24']);
  rig.crawler.run(request);
  expect(rig.emitted).toContainEqual(['crawler:run', request]);
  for (const callback of rig.gone) callback();
  expect(rig.crawler.ranges()).toBeNull();
});

it('keeps results of scans, and who asked for them by our own word', async () => {
  rig.state.scans.put(scan({ id: 'asked', actor: 'admin@localhost', kind: 'silent', state: 'queued' }));
  await rig.send('crawler:scan', scan({ id: 'asked', actor: 'somebody', state: 'done', agents: 2 }));
  expect(rig.state.scans.get('asked')).toMatchObject({
    actor: 'admin@localhost',
    kind: 'silent',
    state: 'done',
    agents: 2,
  });
  await expect(rig.send('crawler:scan', scan({ id: '../x' }))).rejects.toThrow();
  await expect(rig.send('crawler:scan', scan({ error: 'e'.repeat(600) }))).rejects.toThrow();
});

it('hands lines to rig.intake and answers what it says', async () => {
  const header = { epoch: '0'.repeat(16), first: 0, count: 7, prev: '0'.repeat(32), hash: '1'.repeat(32), bytes: 2 };
  const frame = { header, body: new Uint8Array([1, 2]) };
  expect(await rig.send('crawler:lines', frame)).toEqual({ next: 7 });
  rig.intake.acceptFrames = async () => [{ t: 'nack', reason: 'the store is behind' }];
  await expect(rig.send('crawler:lines', frame)).rejects.toMatchObject({ code: 'store-unavailable' });
  rig.intake.acceptFrames = async () => [{ t: 'new-epoch', reason: 'numbers went back' }];
  expect(await rig.send('crawler:lines', frame)).toMatchObject({ newEpoch: 'numbers went back' });
  await expect(rig.send('crawler:lines', { header, body: 'text' })).rejects.toThrow();
});
