import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Finding, Scan } from '../../common/model/discovery.ts';
import { createBus } from '../bus/bus.ts';
import type { StateStore, StoredHost } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { createInbox, type Inbox } from './crawler-inbox.ts';
import { type CrawlerIntake, type CrawlerSocket, crawlerSocket } from './crawler-socket.ts';
import type { Client } from './socket-event.ts';

let folder: string;
let state: StateStore;
let inbox: Inbox;
let crawler: CrawlerSocket;
let nowMs: number;
let alarms: { message: string; fields: Record<string, unknown> }[];
let emitted: [string, unknown][];
let gone: (() => void)[];
let changed: string[];
let intake: CrawlerIntake;
const bus = createBus((error) => {
  throw error;
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-inbox-'));
  state = openStateStore(join(folder, 'state.sqlite'));
  [alarms, emitted, gone, changed] = [[], [], [], []];
  nowMs = 1_000_000;
  inbox = createInbox({
    ...state,
    bus,
    alarm: (message, fields) => void alarms.push({ message, fields }),
    now: () => nowMs,
  });
  intake = {
    hello: async () => ({ cursors: [], newEpoch: null }),
    acceptFrames: async () => [{ t: 'ack', next: 7 }],
    closed: () => {},
  };
  crawler = crawlerSocket({
    intake: { ...intake, acceptFrames: (...given) => intake.acceptFrames(...given) },
    inbox,
    ...state,
    bus,
    log: { info: () => undefined },
    now: () => nowMs,
  });
});
bus.on('candidate', ({ id }) => changed.push(id));
afterEach(() => {
  crawler.stop();
  state.close();
  rmSync(folder, { recursive: true });
});

const client = {
  emit: (...given: [string, unknown]) => void emitted.push(given) ?? true,
  connected: true,
  onGone: (callback: () => void) => void gone.push(callback),
} as unknown as Client;

/** Sends an event as the dispatcher does: only what its schema accepts comes through. */
async function send(name: string, body: unknown): Promise<unknown> {
  const event = crawler.events.find((one) => one.name === name)!;
  expect(event.access).toBe('service');
  const { data, behind } = await event.handle(event.body.parse(body), client);
  const answer = data();
  behind?.();
  return answer;
}
const ready = () => send('crawler:ready', { version: '0.1.0', ranges: ['10.0.0.0/24'], epochs: [] });

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
function finding(more: Partial<Finding> = {}): Finding {
  const words = { product: 'webvirt-agent', version: '0.1.0', claimedName: 'h', detail: null };
  return { address: '10.0.0.5', port: 4601, id: A, state: 'unenrolled', ...words, ...more };
}
function host(more: Partial<StoredHost> = {}): StoredHost {
  const none = { enrolledMs: 1, enrolledBy: 'x', agentVersion: '', facts: null, seenMs: 0, revokedMs: null };
  return { id: A, address: '10.0.0.5', port: 4601, ...none, ...more };
}
const found = (...list: Finding[]) => send('crawler:findings', { scanId: 's', list });
function scan(more: Partial<Scan> = {}): Scan {
  const none = { startedMs: 1, endedMs: null, addresses: 256, scanned: 0, up: 0, agents: 0, error: null };
  return { id: 'one', kind: 'whole', range: '10.0.0.0/24', state: 'running', actor: 'schedule', ...none, ...more };
}

it('keeps one candidate per agent, with its first and last sight', async () => {
  await found(finding());
  nowMs += 70_000;
  await found(finding({ version: '0.2.0' }));
  expect(state.candidates.list()).toEqual([
    { ...finding({ version: '0.2.0' }), firstSeenMs: 1_000_000, lastSeenMs: 1_070_000, vanished: false },
  ]);
});

it('writes an unchanged finding seldom', async () => {
  await found(finding());
  changed.length = 0;
  nowMs += 5_000;
  await found(finding());
  expect(changed).toEqual([]);
  nowMs += 60_000;
  await found(finding());
  expect(changed).toEqual([A]);
});

it('decides by itself who is enrolled here', async () => {
  await found(finding({ state: 'enrolled-here' }));
  expect(state.candidates.get(A)?.state).toBe('enrolled-elsewhere');
  state.hosts.put(host());
  await found(finding({ state: 'enrolled-elsewhere' }));
  expect(state.candidates.get(A)?.state).toBe('enrolled-here');
  state.hosts.put(host({ revokedMs: 5 }));
  await found(finding({ state: 'enrolled-here' }));
  expect(state.candidates.get(A)?.state).toBe('enrolled-elsewhere');
  // It lost its papers: the admin must be able to enrol it again.
  state.hosts.put(host());
  await found(finding());
  expect(state.candidates.get(A)?.state).toBe('unenrolled');
});

it('alarms once when another key answers at the address of an enrolled host, or its own key elsewhere', async () => {
  state.hosts.put(host());
  for (let i = 0; i < 3; i += 1) {
    await found(finding({ id: B }));
    await found(finding({ address: '10.0.0.9', state: 'enrolled-here' }));
  }
  expect(alarms.map((alarm) => alarm.message)).toEqual([
    'another key answers at the address of an enrolled host',
    'an enrolled agent answers at another address than its host',
  ]);
});

it('marks agents that vanish, and drops strangers', async () => {
  await found(finding(), finding({ id: null, address: '10.0.0.6', state: 'not-an-agent', claimedName: null }));
  expect(state.candidates.list()).toHaveLength(2);
  await send('crawler:vanished', {
    scanId: 's',
    list: [
      { address: '10.0.0.5', port: 4601 },
      { address: '10.0.0.6', port: 4601 },
    ],
  });
  expect(state.candidates.list()).toMatchObject([{ id: A, vanished: true }]);
  await found(finding());
  expect(state.candidates.get(A)?.vanished).toBe(false);
});

it('puts the new tenant of an address in the place of the old one', async () => {
  await found(finding({ id: null, state: 'not-an-agent' }));
  await found(finding());
  expect(state.candidates.list()).toMatchObject([{ id: A }]);
  await found(finding({ id: B }));
  expect(state.candidates.get(A)?.vanished).toBe(true);
  expect(state.candidates.get(B)?.vanished).toBe(false);
});

it('does not show again what was dismissed, until it is something else', async () => {
  await found(finding());
  expect(inbox.dismiss(A)).toBe(true);
  nowMs += 70_000;
  await found(finding());
  expect(state.candidates.list()).toEqual([]);
  // Over a restart too.
  const again = createInbox({ ...state, bus, alarm: () => undefined, now: () => nowMs });
  again.merge(finding());
  expect(state.candidates.list()).toEqual([]);
  await found(finding({ state: 'enrolled-elsewhere' }));
  expect(state.candidates.list()).toHaveLength(1);
  expect(inbox.dismiss('nobody')).toBe(false);
});

it.each([
  ['an address that is none', finding({ address: '<b>' })],
  ['IPv6', finding({ address: '::1' })],
  ['an id that is none', finding({ id: 'x' })],
  ['a long name', finding({ claimedName: 'n'.repeat(256) })],
  ['a port that is none', finding({ port: 70_000 })],
  ['a state nobody has', finding({ state: 'friend' as never })],
])('takes no finding with %s', async (_, bad) => {
  await expect(found(bad)).rejects.toThrow();
  await expect(found(...Array.from({ length: 501 }, () => finding()))).rejects.toThrow();
  expect(state.candidates.list()).toEqual([]);
});

it('tells the crawler who is enrolled: at once, and when that changes', async () => {
  state.hosts.put(host());
  await ready();
  expect(emitted).toEqual([['crawler:known', { list: [{ address: '10.0.0.5', port: 4601, id: A }] }]]);
  state.hosts.put(host({ id: B, address: '10.0.0.6' }));
  bus.emit('host', { id: B });
  bus.emit('host', { id: B });
  await expect.poll(() => emitted.length).toBe(2);
  expect((emitted[1]![1] as { list: unknown[] }).list).toHaveLength(2);
  // A sample of a host changes nobody.
  bus.emit('host', { id: B });
  crawler.stop();
  expect(emitted).toHaveLength(2);
});

it('follows a candidate that was enrolled', async () => {
  await found(finding());
  state.hosts.put(host({ enrolledMs: nowMs + 1 }));
  bus.emit('host', { id: A });
  expect(state.candidates.get(A)?.state).toBe('enrolled-here');
});

it('knows the crawler while it is connected, and closes what it left open', async () => {
  expect(crawler.ranges()).toBeNull();
  const request = { scanId: randomUUID(), kind: 'whole' as const, range: '10.0.0.0/24', actor: 'x' };
  expect(crawler.run(request)).toBe(false);
  state.scans.put(scan());
  await ready();
  expect(state.scans.get('one')).toMatchObject({ state: 'failed', error: expect.stringContaining('started again') });
  expect(crawler.ranges()).toEqual(['10.0.0.0/24']);
  crawler.run(request);
  expect(emitted).toContainEqual(['crawler:run', request]);
  for (const callback of gone) callback();
  expect(crawler.ranges()).toBeNull();
});

it('keeps results of scans, and who asked for them by our own word', async () => {
  state.scans.put(scan({ id: 'asked', actor: 'admin@localhost', kind: 'silent', state: 'queued' }));
  await send('crawler:scan', scan({ id: 'asked', actor: 'somebody', state: 'done', agents: 2 }));
  expect(state.scans.get('asked')).toMatchObject({
    actor: 'admin@localhost',
    kind: 'silent',
    state: 'done',
    agents: 2,
  });
  await expect(send('crawler:scan', scan({ id: '../x' }))).rejects.toThrow();
  await expect(send('crawler:scan', scan({ error: 'e'.repeat(600) }))).rejects.toThrow();
});

it('hands lines to intake and answers what it says', async () => {
  const header = { epoch: '0'.repeat(16), first: 0, count: 7, prev: '0'.repeat(32), hash: '1'.repeat(32), bytes: 2 };
  const frame = { header, body: new Uint8Array([1, 2]) };
  expect(await send('crawler:lines', frame)).toEqual({ next: 7 });
  intake.acceptFrames = async () => [{ t: 'nack', reason: 'the store is behind' }];
  await expect(send('crawler:lines', frame)).rejects.toMatchObject({ code: 'store-unavailable' });
  intake.acceptFrames = async () => [{ t: 'new-epoch', reason: 'numbers went back' }];
  expect(await send('crawler:lines', frame)).toMatchObject({ newEpoch: 'numbers went back' });
  await expect(send('crawler:lines', { header, body: 'text' })).rejects.toThrow();
});
