import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { type Call, defineRoute } from '../http/route.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { defineEvent } from './socket-event.ts';
import { ask, COOKIE, startWorld } from './testing.ts';

const OPEN = { summary: 's', purpose: 'p', access: 'member' as const, live: { on: ['host' as const] } };
const routes = [
  defineRoute({ ...OPEN, method: 'GET', path: '/api/v1/hosts', handle: () => [{ id: 'h1' }] }),
  defineRoute({ ...OPEN, method: 'GET', path: '/api/v1/hosts/:id', handle: ({ params }: Call) => params }),
  defineRoute({ ...OPEN, method: 'GET', path: '/api/v1/secret', access: 'service', handle: () => 'secret' }),
];
const parts = {
  batches: { columnsOf, lineAt },
  http: { routes, callRoute, readQuery, canonicalPath },
  guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'manager'), isOriginAllowed: isSocketOriginAllowed },
};

const seen: string[] = [];
const events = [
  defineEvent({
    name: 'crawler:ready',
    access: 'service',
    body: z.object({ version: z.string() }),
    handle({ version }) {
      seen.push(version);
      return { data: () => ({ cursors: [] }) };
    },
  }),
];

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld(parts, { events, config: { credentialCheckMs: 20, maxSubscriptions: 3, maxTails: 2 } });
});
afterAll(() => world.stop());

/** One handshake by hand; answers its status: 200 or 101 when it was let in. */
function handshake(transport: 'polling' | 'websocket', headers: Record<string, string>, query = ''): Promise<number> {
  const upgrade = {
    ...{ connection: 'Upgrade', upgrade: 'websocket' },
    ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
  };
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ host: '127.0.0.1', port: world.port, path: `/socket.io/?EIO=4&transport=${transport}${query}` },
      headers: { host: `127.0.0.1:${world.port}`, ...(transport === 'websocket' ? upgrade : {}), ...headers },
    });
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a handshake (S11)', () => {
  const own = () => `http://127.0.0.1:${world.port}`;
  const foreign: [string, Record<string, string>][] = [
    ['a foreign origin', { origin: 'http://evil.example' }],
    ['no origin', {}],
    ['the null origin', { origin: 'null' }],
    ['an empty origin', { origin: '' }],
    ['our host on another port', { origin: 'http://127.0.0.1:1' }],
    ['our host as a prefix', { origin: 'http://127.0.0.1.evil.example' }],
    ['our host as a user name', { origin: 'http://127.0.0.1@evil.example' }],
    ['a file', { origin: 'file://' }],
    ['two origins', { origin: 'http://127.0.0.1, http://evil.example' }],
    ['a page of another site by its own word', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a sister site', { 'sec-fetch-site': 'same-site' }],
    ['an address typed by hand', { 'sec-fetch-site': 'none' }],
  ];
  const badHosts = ['evil.example', 'evil.example:4600', '127.0.0.1.evil.example', 'xn--localhost', ' ', '10.0.0.1'];

  describe.each(['polling', 'websocket'] as const)('by %s', (transport) => {
    const welcome = transport === 'polling' ? 200 : 101;
    // engine.io refuses every upgrade with 400.
    const refused = transport === 'polling' ? 403 : 400;

    it.each(foreign)('with a cookie and %s is refused', async (_name, headers) => {
      expect(await handshake(transport, { cookie: COOKIE, ...headers })).toBe(refused);
    });

    it.each(badHosts)('with the host %j is refused, cookie or not', async (host) => {
      const extras: Record<string, string>[] = [
        {},
        { cookie: COOKIE, origin: `http://${host.trim()}` },
        { authorization: 'Bearer wv_admin' },
      ];
      for (const extra of extras) expect([400, refused]).toContain(await handshake(transport, { host, ...extra }));
    });

    it('with a cookie and our own origin is let in', async () => {
      expect(await handshake(transport, { cookie: COOKIE, origin: own() })).toBe(welcome);
    });

    it('with a token needs no origin', async () => {
      expect(await handshake(transport, { authorization: 'Bearer wv_admin' })).toBe(welcome);
      expect(await handshake(transport, {})).toBe(welcome);
    });
  });

  it('does not let refused handshakes fill the log', async () => {
    const other = await startWorld(parts);
    const Origin = 'http://evil.example';
    for (let i = 0; i < 50; i++)
      await fetch(`${other.url}/socket.io/?EIO=4&transport=polling`, { headers: { Origin } });
    await other.stop();
    const told = other.infos.filter((message) => message === 'A socket handshake was refused').length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(50);
  });

  it('takes the word of the browser for its own polling, which has no Origin, and only there', async () => {
    const headers = { cookie: COOKIE, 'sec-fetch-site': 'same-origin' };
    expect(await handshake('polling', headers)).toBe(200);
    expect(await handshake('websocket', headers)).toBe(400);
  });

  it('is checked again at each later request of a polling client', async () => {
    const socket = await world.connect({ transports: ['polling'], upgrade: false });
    const sid = `&sid=${socket.io.engine.id}`;
    expect(await handshake('polling', { cookie: COOKIE, origin: 'http://evil.example' }, sid)).toBe(400);
    expect(await handshake('websocket', { cookie: COOKIE, origin: 'null' }, sid)).toBe(400);
    expect(await ask(socket, 'subscribe', { uri: '/api/v1/hosts' })).toMatchObject({ version: 1 });
  });

  it.each([
    [{ auth: {} }, 'not-signed-in'],
    [{ auth: { token: 'wv_wrong' } }, 'bad-token'],
    [{ auth: { token: { toString: 'x' } } }, 'bad-token'],
    [{ auth: { token: 'wv_admin\r\nx: y' } }, 'bad-token'],
    [{ auth: {}, extraHeaders: { cookie: 'webvirt_session=old', origin: 'OWN' } }, 'not-signed-in'],
    // The token decides alone, whatever cookie stands beside it.
    [{ auth: { token: 'wv_wrong' }, extraHeaders: { cookie: COOKIE, origin: 'OWN' } }, 'bad-token'],
  ])('without a credential ends with a code: %j', async (options, code) => {
    const text = JSON.stringify(options).replace('OWN', own());
    for (const transports of [['websocket'], ['polling']])
      await expect(world.connect({ ...JSON.parse(text), transports })).rejects.toThrow(code);
  });

  it('leaves every other request to who answers it', async () => {
    const answer = await fetch(`${world.url}/other`);
    expect([answer.status, await answer.text()]).toEqual([404, 'other']);
  });
});

describe('an event', () => {
  it('is refused when unknown, malformed or not allowed, and never swallowed', async () => {
    const socket = await world.connect();
    await expect(ask(socket, 'no-such-event', {})).rejects.toThrow('There is no event "no-such-event".');
    await expect(ask(socket, 'constructor', {})).rejects.toThrow('There is no event');
    for (const body of [undefined, null, 7, 'x', [], {}, { uri: 7 }, { uri: 'x'.repeat(3_000) }])
      await expect(ask(socket, 'subscribe', body)).rejects.toThrow(/^subscribe/);
    for (const body of [{ id: 't', backlog: 5_001 }, { id: 't', level: 'loud' }, { id: '' }])
      await expect(ask(socket, 'logs:tail', body)).rejects.toThrow(/^logs:tail/);
    await expect(ask(socket, 'crawler:ready', { version: '1' })).rejects.toThrow('may not');
    expect(seen).toEqual([]);
    const crawler = await world.connect({ auth: { token: 'wv_crawler' } });
    expect(await ask(crawler, 'crawler:ready', { version: '1' })).toEqual({ cursors: [] });
    await expect(ask(crawler, 'logs:tail', { id: 't' })).rejects.toThrow('may not');
    await expect(ask(crawler, 'subscribe', { uri: '/api/v1/hosts' })).rejects.toThrow('may not');
  });

  it('reads no address that HTTP would not read for this caller', async () => {
    const socket = await world.connect();
    await expect(ask(socket, 'subscribe', { uri: '/api/v1/secret' })).rejects.toThrow('may not');
    const wrong = ['//api/v1/hosts', '/api/v1/hosts/', '/api/v1/./hosts', '/api/v1/%68osts', '/API/v1/hosts', 'x'];
    for (const uri of [...wrong, 'http://evil/api/v1/hosts', '/api/v1/hosts#x', '/api/v1/hosts/..', '/api/v1/nothing'])
      await expect(ask(socket, 'subscribe', { uri })).rejects.toThrow('cannot be subscribed');
  });

  it('is held to the caps of its socket', async () => {
    const socket = await world.connect();
    for (const id of ['a', 'b', 'c', 'a']) await ask(socket, 'subscribe', { uri: `/api/v1/hosts/${id}` });
    await expect(ask(socket, 'subscribe', { uri: '/api/v1/hosts/d' })).rejects.toThrow('3 addresses');
    await ask(socket, 'unsubscribe', { uri: '/api/v1/hosts/a' });
    await ask(socket, 'subscribe', { uri: '/api/v1/hosts/d' });
    for (const id of ['a', 'b', 'a']) await ask(socket, 'logs:tail', { id });
    await expect(ask(socket, 'logs:tail', { id: 'c' })).rejects.toThrow('2 tails');
    await ask(socket, 'logs:untail', { id: 'a' });
    await ask(socket, 'logs:tail', { id: 'c' });
  });

  it('is refused, and then the socket cut, when there are far too many', async () => {
    const socket = await world.connect();
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => ask(socket, 'logs:untail', { id: 'x' }).then(String, String)),
    );
    expect(answers.filter((answer) => answer.includes('Too many events')).length).toBeGreaterThan(50);
    const cut = new Promise<string>((resolve) => socket.once('disconnect', resolve));
    for (let i = 0; i < 4_000; i++) socket.emit('logs:untail', { id: 'x' });
    expect(await cut).toMatch(/server disconnect|transport close/);
  });
});

it('connections are counted, also those that never sign in', async () => {
  const small = await startWorld(parts, { config: { maxSockets: 2 } });
  const knock = async () => (await fetch(`${small.url}/socket.io/?EIO=4&transport=polling`)).status;
  expect([await knock(), await knock(), await knock()]).toEqual([200, 200, 403]);
  await expect(small.connect()).rejects.toThrow();
  await small.stop();
});

describe('a credential that ended', () => {
  it('cuts its sockets at once and no others, after saying so', async () => {
    const [mine, other] = [await world.connect(), await world.connect({ auth: { token: 'wv_crawler' } })];
    const told = new Promise((resolve) => mine.once('signed-out', resolve));
    const cut = new Promise((resolve) => mine.once('disconnect', resolve));
    world.bus.emit('credential-ended', { credentialId: 'token-1' });
    expect(await told).toEqual({ code: 'not-signed-in' });
    await cut;
    expect(other.connected).toBe(true);
    expect(await ask(other, 'crawler:ready', { version: '2' })).toEqual({ cursors: [] });
    // The credential may still be in the hands of a handshake that was under way.
    await expect(world.connect()).rejects.toThrow('not-signed-in');
    expect(world.faults).toEqual([]);
  });

  it('that ran out by itself is noticed at the next event and at the next round', async () => {
    let valid = true;
    const own = await startWorld(parts, { guard: { isStillValid: () => valid }, config: { credentialCheckMs: 15 } });
    const socket = await own.connect();
    const cut = new Promise((resolve) => socket.once('disconnect', resolve));
    valid = false;
    await cut;
    await own.stop();
    valid = true;
    const slow = await startWorld(parts, { guard: { isStillValid: () => valid } });
    const asker = await slow.connect();
    const ended = new Promise((resolve) => asker.once('signed-out', resolve));
    valid = false;
    asker.emit('logs:untail', { id: 'x' });
    await ended;
    await slow.stop();
  });
});
