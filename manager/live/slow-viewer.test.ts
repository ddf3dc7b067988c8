import type { Socket as NetSocket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { NewLine } from '../../common/model/line.ts';
import type { LinesBatch } from '../../common/wire/live.ts';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { defineRoute } from '../http/route.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { ask, startWorld } from './testing.ts';

const QUEUE_BYTES = 1024 * 1024;
let world: Awaited<ReturnType<typeof startWorld>>;
let version = 0;

beforeEach(async () => {
  const state = { summary: 's', purpose: 'p', access: 'member' as const, live: { on: ['host' as const] } };
  const handle = () => ({ version, text: 'x'.repeat(100_000) + version });
  world = await startWorld({
    batches: { columnsOf, lineAt },
    http: {
      routes: [defineRoute({ ...state, method: 'GET', path: '/api/v1/state', handle })],
      ...{ callRoute, readQuery, canonicalPath },
    },
    guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
  });
});
afterEach(() => world.stop());

/** A client by hand that can stop reading, so that the kernel's buffers fill. `packets` are the events it got. */
async function rawClient() {
  const accepted = new Promise<NetSocket>((resolve) =>
    world.server.once('upgrade', (request) => resolve(request.socket)),
  );
  const socket = new WebSocket(`ws://127.0.0.1:${world.port}/socket.io/?EIO=4&transport=websocket`);
  const packets: [name: string, body: unknown][] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    const text = String(data);
    if (text.startsWith('0')) socket.send('40{"token":"wv_admin"}');
    else if (text === '2') socket.send('3');
    else if (text.startsWith('42')) packets.push(JSON.parse(text.slice(2)) as [string, unknown]);
    else if (text.startsWith('40') || text.startsWith('43')) packets.push([text.slice(0, 2), null]);
    for (const look of [...waiting]) look();
  });
  const until = (test: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!test()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  await until(() => packets.length === 1);
  return {
    ...{ socket, packets, until, serverSide: await accepted },
    async send(name: string, body: unknown) {
      const before = packets.length;
      socket.send(`420${JSON.stringify([name, body])}`);
      await until(() => packets.length > before);
    },
    batches: () => packets.filter(([name]) => name === 'logs:lines').map(([, body]) => body as LinesBatch),
  };
}

/** More than the kernel's buffers, the window and the queue hold together. */
const MOST_LARGE_LINES = 2_000;

/** Commits large lines until the kernel takes no more for who does not read, and its queue overflows. Returns how many. */
async function overflow(): Promise<number> {
  let committed = 0;
  while (world.live.stats().skipped === 0) {
    // Else they are piled up somewhere in this process.
    expect(committed).toBeLessThan(MOST_LARGE_LINES);
    world.lines.commit([{ source: 'file', message: 'x'.repeat(64 * 1024) }]);
    committed += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return committed;
}

const VIEWERS: [what: string, sipEveryMs: number][] = [
  ['stops reading', 0],
  ['reads one message now and then', 60],
];
it.each(VIEWERS)('a viewer that %s costs a bounded queue, the others nothing (L11)', async (_what, sipEveryMs) => {
  const stalled = await rawClient();
  await stalled.send('logs:tail', { id: 't' });
  const viewers = await Promise.all(Array.from({ length: 10 }, () => world.connect()));
  const seen = viewers.map(() => ({ numbers: [] as number[], skipped: 0 }));
  const wanted = { lines: 7_500, done: () => {} };
  const all = new Promise<void>((resolve) => {
    wanted.done = resolve;
  });
  for (const [i, viewer] of viewers.entries()) {
    await ask(viewer, 'logs:tail', { id: 't', source: 'agent' });
    viewer.on('logs:lines', (batch) => {
      const mine = seen[i]!;
      mine.skipped += batch.skipped;
      for (const line of batch.lines) mine.numbers.push(Number(line.message));
      if (seen.every(({ numbers, skipped }) => numbers.length + skipped >= wanted.lines)) wanted.done();
    });
  }

  stalled.socket.pause();
  // Only the stalled viewer wants those.
  let committed = await overflow();
  const commit = (lines: Partial<NewLine>[]) => {
    world.lines.commit(lines);
    committed += lines.length;
  };
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
  const bounded = () => {
    const { queuedBytes, queuedLines } = world.live.stats();
    // A viewer that reads has less than the 500 lines from which on it is given more.
    expect(queuedLines).toBeLessThanOrEqual(1_000 + 10 * 500);
    expect(queuedBytes).toBeLessThanOrEqual(QUEUE_BYTES + 10 * 500 * 256);
    // What this process still holds of what it gave to the socket.
    expect(stalled.serverSide.writableLength).toBeLessThanOrEqual(3 * QUEUE_BYTES);
  };
  bounded();

  const enough = () => stalled.socket.pause();
  if (sipEveryMs > 0) stalled.socket.on('message', enough);
  const sips = sipEveryMs > 0 ? setInterval(() => stalled.socket.resume(), sipEveryMs) : undefined;
  // 5,000 lines/s for a second and a half, as commits of 25.
  const startedMs = performance.now();
  for (let first = 0; first < wanted.lines; first += 25) {
    commit(Array.from({ length: 25 }, (_, i) => ({ message: String(first + i) })));
    if (first % 500 === 0) bounded();
    // A machine that is late lets everybody read, too.
    do await nextTurn();
    while (performance.now() - startedMs < first / 5);
  }
  await all;
  for (const { numbers, skipped } of seen) {
    expect(skipped).toBe(0);
    expect(numbers).toEqual(Array.from({ length: wanted.lines }, (_, i) => i));
  }

  clearInterval(sips);
  stalled.socket.off('message', enough);
  // It reads again: what was dropped is said to the line, and nothing is missing or double.
  stalled.socket.resume();
  const got = () => stalled.batches().reduce((sum, batch) => sum + batch.lines.length + batch.skipped, 0);
  await stalled.until(() => got() >= committed);
  expect(got()).toBe(committed);
  expect(stalled.batches().some((batch) => batch.skipped > 1_000)).toBe(true);
  expect(stalled.batches().at(-1)!.position).toBe(String(committed));
  const ids = stalled.batches().flatMap((batch) => batch.lines.map((line) => line.id));
  expect(new Set(ids).size).toBe(ids.length);
  world.lines.commit([{ message: 'again live' }]);
  await stalled.until(() => stalled.batches().at(-1)!.lines.at(-1)?.message === 'again live');
  expect(world.live.stats()).toMatchObject({ queuedLines: 0, sockets: 11 });
  stalled.socket.terminate();
});

it('a watcher that stops reading gets the whole body later, with the next version', async () => {
  const stalled = await rawClient();
  await stalled.send('subscribe', { uri: '/api/v1/state' });
  const reader = await world.connect();
  await ask(reader, 'subscribe', { uri: '/api/v1/state' });
  await stalled.send('logs:tail', { id: 't' });
  stalled.socket.pause();
  await overflow();
  for (let i = 0; i < 20; i++) {
    const changed = new Promise((resolve) => reader.once('change', resolve));
    version += 1;
    world.bus.emit('host', { id: 'h1' });
    await changed;
  }
  expect(stalled.serverSide.writableLength).toBeLessThanOrEqual(3 * QUEUE_BYTES);
  stalled.socket.resume();
  const changes = () => stalled.packets.filter(([name]) => name === 'change').map(([, body]) => body);
  await stalled.until(() => changes().length > 0);
  expect(changes()).toMatchObject([{ version: 2, patch: [{ op: 'replace', path: '', value: { version } }] }]);
  stalled.socket.terminate();
});

it('a sign-out ends the socket of a viewer that does not read', async () => {
  const stalled = await rawClient();
  await stalled.send('logs:tail', { id: 't' });
  stalled.socket.pause();
  await overflow();
  const closed = new Promise((resolve) => stalled.serverSide.once('close', resolve));
  world.bus.emit('credential-ended', { credentialId: 'token-1' });
  expect(world.live.stats()).toMatchObject({ sockets: 0, tails: 0, queuedLines: 0 });
  await closed;
  stalled.socket.terminate();
});
