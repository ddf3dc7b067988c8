import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { findingSchema } from '../../common/model/discovery.ts';
import { parseIpv4 } from '../../common/pure/ip/address.ts';
import { type FakeIdentity, fakeAgent, fakeIdentity, helloOf, reply } from '../../test/support/hello-agent.ts';
import { type Classified, classify } from './classify.ts';

const LOOPBACK = parseIpv4('127.0.0.1')!;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const look = (port: number, ours: string[] = [], limitMs = 2_000) =>
  classify(LOOPBACK, port, { limitMs, signal: new AbortController().signal, isOurs: (id) => ours.includes(id) });

async function serve(identity: FakeIdentity, answer: (socket: TLSSocket) => void): Promise<number> {
  const agent = await fakeAgent(identity, answer);
  stops.push(agent.stop);
  return agent.port;
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function finding(seen: Classified) {
  if (seen.outcome !== 'found') throw new Error(seen.outcome);
  return findingSchema.parse(seen.finding);
}

it('knows an agent without a manager', async () => {
  const me = await fakeIdentity();
  const port = await serve(me, (socket) => reply(socket, 200, helloOf(me.id)));
  expect(finding(await look(port))).toMatchObject({
    id: me.id,
    state: 'unenrolled',
    version: '0.1.0',
    claimedName: 'host-1',
    address: '127.0.0.1',
  });
});

it('tells agents of ours from those of others by the key alone', async () => {
  const me = await fakeIdentity({ signed: true });
  const port = await serve(me, (socket) => reply(socket, 403, { err: 'forbidden', message: 'no', data: null }));
  expect(finding(await look(port))).toMatchObject({ id: me.id, state: 'enrolled-elsewhere' });
  expect(finding(await look(port, [me.id]))).toMatchObject({ id: me.id, state: 'enrolled-here' });
});

it('still asks an agent of ours that has signed its name itself: it lost its papers', async () => {
  const me = await fakeIdentity();
  const port = await serve(me, (socket) => reply(socket, 200, helloOf(me.id)));
  expect(finding(await look(port, [me.id]))).toMatchObject({ id: me.id, state: 'unenrolled' });
});

it('takes nobody for an agent who only refuses, under a name it signed itself', async () => {
  const me = await fakeIdentity();
  const port = await serve(me, (socket) => reply(socket, 403, { err: 'forbidden', message: '', data: null }));
  expect(finding(await look(port))).toMatchObject({ id: null, state: 'not-an-agent' });
});

it('believes no word about the id', async () => {
  const [me, victim] = await Promise.all([fakeIdentity(), fakeIdentity()]);
  const port = await serve(me, (socket) => reply(socket, 200, helloOf(victim.id)));
  const seen = finding(await look(port, [victim.id]));
  expect(seen).toMatchObject({ id: null, state: 'not-an-agent' });
  expect(seen.detail).toContain('claims another id');
});

it('survives a replayed certificate: recorded bytes of another agent prove nothing', async () => {
  const victim = await fakeIdentity({ signed: true });
  const real = await serve(victim, (socket) => reply(socket, 403, { err: 'forbidden', message: '', data: null }));
  const recorded: Buffer[] = [];
  const relay = await listen((socket) => {
    const upstream = connectTcp(real, '127.0.0.1').on('error', () => socket.destroy());
    upstream.on('data', (chunk: Buffer) => recorded.push(chunk));
    socket.pipe(upstream).pipe(socket);
  });
  // A relay shows the real key, and so the real id: the same id at a second address is what raises the alarm.
  expect(finding(await look(relay, [victim.id])).id).toBe(victim.id);
  const replay = await listen((socket) => socket.once('data', () => socket.write(Buffer.concat(recorded))));
  expect(finding(await look(replay, [victim.id]))).toMatchObject({ id: null, state: 'not-an-agent' });
});

const HOSTILE: [string, (socket: TLSSocket, me: FakeIdentity) => void][] = [
  ['an HTML page', (socket) => reply(socket, 200, '<script>alert(1)</script><img src=x onerror=alert(1)>')],
  ['a redirect', (socket) => reply(socket, 302, '', 'location: https://127.0.0.1:1/\r\n')],
  ['a redirect with the right body', (socket, me) => reply(socket, 307, helloOf(me.id), 'location: /x\r\n')],
  ['another product', (socket, me) => reply(socket, 200, helloOf(me.id, { product: 'x' }))],
  ['a field too many', (socket, me) => reply(socket, 200, helloOf(me.id, { extra: 1 }))],
  ['a version with markup', (socket, me) => reply(socket, 200, helloOf(me.id, { version: '<b>' }))],
  ['a name too long', (socket, me) => reply(socket, 200, helloOf(me.id, { name: 'n'.repeat(256) }))],
  ['a state nobody has', (socket, me) => reply(socket, 200, helloOf(me.id, { state: 'enrolled' }))],
  ['deep JSON', (socket) => reply(socket, 200, '['.repeat(2_000))],
  ['a prototype', (socket) => reply(socket, 200, '{"__proto__":{"err":null},"err":null,"data":null}')],
  ['endless headers', (socket) => void socket.write(`HTTP/1.1 200 X\r\n${'a: b\r\n'.repeat(20_000)}`)],
  ['a body too long', (socket) => void socket.write(`HTTP/1.1 200 X\r\n\r\n${'x'.repeat(200_000)}`)],
  ['no HTTP', (socket) => void socket.write('220 ftp\r\n')],
  ['a hang-up', (socket) => void socket.destroy()],
  ['500', (socket) => reply(socket, 500, helloOf('0'.repeat(32)))],
];
it.each(HOSTILE)('an agent does not send %s', async (_, answer) => {
  const me = await fakeIdentity();
  const port = await serve(me, (socket) => answer(socket, me));
  const seen = finding(await look(port));
  expect(seen).toMatchObject({ id: null, state: 'not-an-agent', claimedName: null, version: null });
  expect(seen.detail).not.toContain('<');
});

it('makes hidden characters of a name visible', async () => {
  const me = await fakeIdentity();
  const port = await serve(me, (socket) =>
    reply(socket, 200, helloOf(me.id, { name: 'a\u001b[31m\u202eb\u0000\ud800' })),
  );
  expect(finding(await look(port)).claimedName).toBe('a\\u{1b}[31m\\u{202e}b\\u{0}\ufffd');
});

it('stops reading a banner of a gigabyte, inside TLS and without', async () => {
  const me = await fakeIdentity();
  const block = Buffer.alloc(65_536, 'A');
  let sent = 0;
  const pour = (socket: Socket | TLSSocket) => {
    const more = () => {
      while (!socket.destroyed && sent < 2 ** 30) {
        sent += block.length;
        if (!socket.write(block)) return void socket.once('drain', more);
      }
    };
    more();
  };
  const inTls = await serve(me, (socket) => {
    socket.write('HTTP/1.1 200 X\r\n\r\n');
    pour(socket);
  });
  expect(finding(await look(inTls)).state).toBe('not-an-agent');
  const plain = await listen(pour);
  expect(finding(await look(plain)).detail).toContain('TLS');
  expect(sent).toBeLessThan(32 * 2 ** 20);
});

it('gives up on tarpits: silent ones, slow ones and ones that stop after the handshake', async () => {
  const me = await fakeIdentity();
  const silent = await listen(() => {});
  const drip = await listen((socket) => {
    const timer = setInterval(() => socket.write(Buffer.from([0x16])), 10);
    socket.once('close', () => clearInterval(timer));
  });
  const half = await serve(me, (socket) => void socket.write('HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{'));
  for (const port of [silent, drip, half]) {
    const seen = finding(await look(port, [], 150));
    expect(seen.state).toBe('not-an-agent');
  }
});

it('tells a closed port from an agent', async () => {
  const port = await listen(() => {});
  await stops.pop()!();
  expect(await look(port)).toEqual({ outcome: 'closed' });
});

it('speaks only TLS 1.3', async () => {
  const me = await fakeIdentity();
  const agent = await fakeAgent(me, (socket) => reply(socket, 200, helloOf(me.id)), { maxVersion: 'TLSv1.2' as never });
  stops.push(agent.stop);
  expect(finding(await look(agent.port))).toMatchObject({ id: null, state: 'not-an-agent' });
});
