import { afterEach, beforeEach, expect, it } from 'vitest';
import type { WebvirtError } from '../../../common/errors.ts';
import { type ConsolesWorld, consolesWorld, INSTANCE } from '../../console/testing.ts';
import { callRoute } from '../../http/call-route.ts';
import { mustBeAllowed } from '../../http/guard.ts';
import { hostAllowList } from '../../http/host-names.ts';
import { readQuery } from '../../http/query.ts';
import { canonicalPath } from '../../http/request-path.ts';
import { isSocketOriginAllowed } from '../../http/same-origin.ts';
import type { SocketEvent } from '../../live/socket-event.ts';
import { ask, COOKIE, startWorld, type TestSocket } from '../../live/testing.ts';
import { columnsOf, lineAt } from '../../store/line-columns.ts';
import { consoleEvents } from './socket-events.ts';

interface Opened {
  console: string;
  recent: string;
  write: boolean;
}

let live: Awaited<ReturnType<typeof startWorld>>;
let world: ConsolesWorld;

beforeEach(async () => {
  const events: SocketEvent[] = [];
  // The bus is made with the sockets, the consoles need it, and the sockets need their events.
  live = await startWorld(
    {
      batches: { columnsOf, lineAt },
      http: { routes: [], callRoute, readQuery, canonicalPath },
      guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
    },
    { events: lateEvents(events) },
  );
  world = consolesWorld(live.bus);
  events.push(...consoleEvents(world));
});
afterEach(async () => {
  world.consoles.stop();
  await live.stop();
});

function lateEvents(events: SocketEvent[]): SocketEvent[] {
  const names = ['console:open', 'console:input', 'console:close'] as const;
  const shapes = consoleEvents({ consoles: { open: () => Promise.reject() as never } });
  return names.map((name, i) => ({
    ...shapes[i]!,
    handle: (...call) => events.find((e) => e.name === name)!.handle(...call),
  }));
}

const code = (asked: Promise<unknown>) =>
  asked.then(
    () => 'in',
    (error: WebvirtError) => error.code,
  );
const open = (socket: TestSocket, more = {}) =>
  ask<Opened>(socket, 'console:open', { instance: INSTANCE, write: true, ...more });

/** Everything a socket is told of consoles; `until` awaits it. */
function heard(socket: TestSocket) {
  const text = new Map<string, string>();
  const waiting = new Set<() => void>();
  socket.on('console:data', ({ console: id, data }) => {
    text.set(id, (text.get(id) ?? '') + Buffer.from(data, 'base64').toString());
    for (const look of waiting) look();
  });
  return {
    text,
    until: (id: string, expected: string) =>
      new Promise<void>((resolve) => {
        const look = () => text.get(id) === expected && resolve();
        waiting.add(look);
        look();
      }),
  };
}

it('shows the same to two, takes the keys of both, and ends with the connection', async () => {
  const [one, two] = [await live.connect(), await live.connect()];
  const [a, b] = [heard(one), heard(two)];
  const state = new Promise((resolve) => one.once('console:state', resolve));
  const first = await open(one);
  expect(first).toMatchObject({ recent: '', write: true });
  expect(await state).toMatchObject({ console: first.console, hostName: 'lab-h1', ended: null });
  const second = await open(two, { write: false });
  world.say('# ');
  await Promise.all([a.until(first.console, '# '), b.until(second.console, '# ')]);
  await ask(one, 'console:input', { console: first.console, data: 'ü' });
  expect(await code(ask(two, 'console:input', { console: second.console, data: 'x' }))).toBe('forbidden');
  // An id is of use only to the connection that it was given to.
  expect(await code(ask(two, 'console:input', { console: first.console, data: 'x' }))).toBe('not-found');
  expect(world.keys()).toBe('ü');
  const closed = () => world.audits.filter(({ message }) => message === 'Serial console closed').length;
  two.disconnect();
  await ask(one, 'console:close', { console: first.console });
  expect(await code(ask(one, 'console:input', { console: first.console, data: 'x' }))).toBe('not-found');
  await expect.poll(closed).toBe(2);
});

it('refuses what is not of the agreed form, and too much of it', async () => {
  const socket = await live.connect();
  const { console: id } = await open(socket);
  for (const body of [{}, { instance: 'web-1', write: true }, { instance: INSTANCE }, { instance: INSTANCE, write: 1 }])
    expect(await code(ask(socket, 'console:open', body))).toBe('bad-request');
  expect(await code(open(socket, { instance: INSTANCE.replace('1', '2') }))).toBe('not-found');
  for (const data of ['', 'x'.repeat(4_097), 7])
    expect(await code(ask(socket, 'console:input', { console: id, data }))).toBe('bad-request');
  for (let i = 0; i < 15; i += 1) await open(socket);
  expect(await code(open(socket))).toBe('too-many-requests');
});

it('is for people only, and ends at once when they sign out', async () => {
  const crawler = await live.connect({ auth: { token: 'wv_crawler' } });
  expect(await code(open(crawler))).toBe('forbidden');
  expect(await code(ask(crawler, 'console:input', { console: 'a'.repeat(24), data: 'x' }))).toBe('forbidden');

  const page = await live.connect({ auth: {}, extraHeaders: { cookie: COOKIE, origin: live.url } });
  const { text } = heard(page);
  const { console: id } = await open(page);
  const gone = new Promise((resolve) => page.once('disconnect', resolve));
  live.bus.emit('credential-ended', { credentialId: 'session-1' });
  world.say('a secret');
  const late = page
    .timeout(500)
    .emitWithAck('console:input', { console: id, data: 'x' })
    .catch(() => null);
  await gone;
  expect(await late).toBeNull();
  expect(text.get(id)).toBeUndefined();
  expect(world.keys()).toBe('');
  expect(world.audits.at(-1)!.message).toBe('Serial console closed');
});
