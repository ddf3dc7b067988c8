import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io as connect, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterEach, describe, expect, test } from 'vitest';
import winston from 'winston';
import { isFromHere } from './socket-transport/admission.ts';
import { type LinesMessage, SocketTransport, type SocketTransportOptions, type Watch } from './socket-transport.ts';
import { transportContract } from './transport-contract.testing.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});

async function serve(options: Partial<SocketTransportOptions> = {}) {
  const server: HttpServer = createServer((_request, response) => void response.end('own page'));
  const transport = new SocketTransport({ ...(options.io === undefined ? { server } : {}), batchMs: 0, ...options });
  if (options.io !== undefined) options.io.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  undo.push(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  return { transport, server, url };
}

interface Seen {
  socket: Socket;
  messages: LinesMessage[];
  until(test: (messages: LinesMessage[]) => boolean): Promise<LinesMessage[]>;
}

async function view(
  url: string,
  auth: object = {},
  options: Partial<ManagerOptions & SocketOptions> = {},
): Promise<Seen> {
  const socket = connect(`${url}/logs`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth,
    ...options,
  });
  undo.push(() => socket.disconnect());
  const messages: LinesMessage[] = [];
  const looks = new Set<() => void>();
  socket.on('lines', (message: LinesMessage) => {
    messages.push(message);
    for (const look of [...looks]) look();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return {
    socket,
    messages,
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds(messages)) return;
          looks.delete(look);
          resolve(messages);
        };
        looks.add(look);
        look();
      }),
  };
}
const texts = (messages: LinesMessage[]) => messages.flatMap(({ lines }) => lines.map((line) => line.message));
const count = (messages: LinesMessage[]) => texts(messages).length;
const ask = (seen: Seen, watch: Watch) => seen.socket.emitWithAck('watch', watch) as Promise<{ error: string | null }>;

transportContract('SocketTransport', async (options) => {
  const { transport, url } = await serve(options);
  const seen = await view(url);
  while (transport.viewers === 0) await new Promise((resolve) => setImmediate(resolve));
  return {
    transport,
    async arrived(wanted) {
      const messages = await seen.until((all) => count(all) >= wanted);
      return messages.flatMap(({ lines }) => lines);
    },
    stop: async () => undefined,
  };
});

describe('SocketTransport', () => {
  test('the server of the program goes on answering, and serves the client to browsers', async () => {
    const { url } = await serve();
    expect(await (await fetch(`${url}/anything`)).text()).toBe('own page');
    expect(await (await fetch(`${url}/socket.io/socket.io.js`)).text()).toContain('Socket.IO');
  });

  test('beside what a program has on its own Socket.io server', async () => {
    const io = new Server();
    io.on('connection', (socket) => socket.emit('mine'));
    const { transport, url } = await serve({ io });
    const own = connect(url, { transports: ['websocket'], forceNew: true });
    undo.push(() => own.disconnect());
    await new Promise<void>((resolve) => void own.once('mine', resolve));
    const seen = await view(url);
    winston.createLogger({ transports: [transport] }).info('hello');
    expect(texts(await seen.until((all) => count(all) === 1))).toEqual(['hello']);
    transport.close();
    await once(seen.socket as never, 'disconnect');
    expect(own.connected).toBe(true);
  });

  test('level and text are filtered for each viewer, and can be changed', async () => {
    const { transport, url } = await serve({ backlog: 10 });
    const log = winston.createLogger({ level: 'silly', transports: [transport] });
    const all = await view(url);
    const errors = await view(url, { level: 'error' });
    const disks = await view(url, { q: 'disk -slow' });
    log.info('disk a');
    log.info('disk b is slow');
    log.error('net is gone');
    await all.until((messages) => count(messages) === 3);
    expect(texts(await errors.until((messages) => count(messages) === 1))).toEqual(['net is gone']);
    expect(texts(await disks.until((messages) => count(messages) === 1))).toEqual(['disk a']);
    expect(await ask(errors, { level: 'info', q: 'slow', backlog: 5 })).toEqual({ error: null });
    expect(texts(errors.messages)).toEqual(['net is gone', 'disk b is slow']);
    expect(await ask(errors, { level: 'lod' })).toEqual({ error: 'There is no level "lod".' });
    expect((await ask(errors, { q: '/(/' })).error).toMatch(/\S/);
    await expect(view(url, { q: '/(/' })).rejects.toThrow();
  });

  test('the backlog comes first; one that was away goes on behind its last line', async () => {
    const { transport, url } = await serve({ backlog: 5 });
    const log = winston.createLogger({ transports: [transport] });
    for (let i = 1; i <= 8; i++) log.info(`line ${i}`);
    const late = await view(url, { backlog: 3 });
    log.info('line 9');
    const messages = await late.until((all) => count(all) === 4);
    expect(texts(messages)).toEqual(['line 6', 'line 7', 'line 8', 'line 9']);
    expect(messages.map((message) => message.backlog)).toEqual([true, undefined]);
    const { run } = messages[0]!;
    const again = await view(url, { after: { run, n: 7 } });
    expect(texts(await again.until((all) => count(all) === 2))).toEqual(['line 8', 'line 9']);
    const longAway = await view(url, { after: { run, n: 1 } });
    const [first] = await longAway.until((all) => all.length === 1);
    expect([first?.lines.map((line) => line.n), first?.skipped]).toEqual([[5, 6, 7, 8, 9], 3]);
    const otherRun = await view(url, { after: { run: 'other', n: 7 }, backlog: 1 });
    expect(texts(await otherRun.until((all) => count(all) === 1))).toEqual(['line 9']);
  });

  test('a viewer that does not read is told what it skipped; the others get everything', async () => {
    const { transport, url } = await serve({ viewerLines: 100 });
    const log = winston.createLogger({ transports: [transport] });
    const [slow, quick] = [await view(url), await view(url)];
    const { engine } = slow.socket.io as unknown as {
      engine: { transport: { ws: { _socket: NodeJS.ReadWriteStream } } };
    };
    engine.transport.ws._socket.pause();
    const total = 12_000;
    const filler = 'x'.repeat(2_000);
    for (let i = 0; i < total; i++) {
      log.info(`line ${i}`, { filler });
      // As fast as the quick one reads.
      if (i % 200 === 199) await quick.until((all) => count(all) === i + 1);
    }
    expect(quick.messages.every((message) => message.skipped === 0)).toBe(true);
    engine.transport.ws._socket.resume();
    const held = await slow.until((all) => texts(all).at(-1) === `line ${total - 1}`);
    const skipped = held.reduce((sum, message) => sum + message.skipped, 0);
    expect(skipped).toBeGreaterThan(0);
    expect(count(held) + skipped).toBe(total);
  });

  test('who may look', async () => {
    const refused: string[] = [];
    const { transport, url } = await serve({
      authorize: async ({ auth }) => {
        if (auth['token'] === 'broken') throw new Error('directory away');
        return auth['token'] === 'right';
      },
    });
    transport.on('warn', (error: Error) => refused.push(error.message));
    await view(url, { token: 'right' });
    await expect(view(url, { token: 'wrong' })).rejects.toThrow('not allowed');
    await expect(view(url, { token: 'broken' })).rejects.toThrow('not allowed');
    expect(refused).toEqual(['directory away']);
    const open = await serve({ maxViewers: 1 });
    await expect(view(open.url, {}, { extraHeaders: { origin: 'http://evil.example' } })).rejects.toThrow(
      'not allowed',
    );
    await view(open.url);
    await expect(view(open.url)).rejects.toThrow('too many viewers');
  });

  test('without a hook: this machine only, and no page of another site', () => {
    const from = (address: string, headers: Record<string, string>) => isFromHere({ address, headers });
    expect(from('127.0.0.1', { host: 'localhost:80' })).toBe(true);
    expect(from('::ffff:127.0.0.1', { host: '127.0.0.1:80', origin: 'http://127.0.0.1:80' })).toBe(false);
    expect(from('::1', { host: '[::1]:8080', origin: 'http://[::1]:8080' })).toBe(true);
    expect(from('192.0.2.1', { host: 'localhost' })).toBe(false);
    expect(from('127.0.0.1', { host: 'evil.example' })).toBe(false);
    expect(from('127.0.0.1', { host: 'localhost', origin: 'https://evil.example' })).toBe(false);
    expect(from('127.0.0.1', { host: 'localhost', origin: 'null' })).toBe(false);
    expect(from('127.0.0.1', { host: 'localhost', 'x-forwarded-for': '192.0.2.1' })).toBe(false);
  });
});
