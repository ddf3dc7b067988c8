import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { Server as SocketServer } from 'socket.io';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import type { LinesFound, SearchRequest } from '../../common/wire/live.ts';
import { streamTo } from '../net/stream.ts';
import type { CliCall } from './command.ts';
import { search } from './search.ts';
import { searches } from './searches.ts';

// A manager that answers as the real one does and finds what it is told to.

let server: Server;
let sockets: SocketServer;
let url: string;
let wanted: SearchRequest[] = [];
let cancelled: string[] = [];
let pages: Omit<LinesFound, 'id'>[][] = [];
let calls: string[] = [];
const saved = { id: '1', name: 'Full', owner: 'ann', shared: true, query: { q: 'disk', level: 'warn' }, columns: [] };

beforeAll(async () => {
  server = createServer((call, answer) => {
    calls.push(`${call.method} ${call.url}`);
    const data = call.url === '/api/v1/searches' ? [saved] : call.url!.includes('/count') ? { count: 7 } : null;
    if (call.url!.includes('/export')) return void answer.end('time,message\r\n');
    answer.end(JSON.stringify({ err: null, data }));
  });
  sockets = new SocketServer(server);
  sockets.on('connection', (socket) => {
    socket.on('logs:search', (request: SearchRequest, ack: (answer: unknown) => void) => {
      wanted.push(request);
      if (request.q === '"') return ack({ err: 'bad-query', message: 'no second one', data: null });
      ack({ err: null, data: null });
      for (const found of pages.shift() ?? []) socket.emit('logs:found', { id: request.id, ...found });
    });
    socket.on('logs:cancel', ({ id }: { id: string }) => void cancelled.push(id));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => sockets.close());
beforeEach(() => {
  [wanted, cancelled, pages, calls] = [[], [], [], []];
});

const line = (message: string) =>
  ({
    id: 'a.b.1',
    tsMs: 1_700_000_000_000,
    level: 'info',
    source: 'agent',
    hostName: 'h',
    agent: 'a',
    message,
  }) as Line;
const found = (messages: string[], done = false, next: string | null = null): Omit<LinesFound, 'id'> => ({
  ...{ lines: messages.map(line), searchedBackToMs: 1_699_999_000_000, done, next },
});

async function run(
  command: typeof search,
  args: string[],
  flags: CliCall['flags'] = {},
  abort = new AbortController(),
) {
  const [out, notes]: [string[], string[]] = [[], []];
  const config = { url, token: 't', ca: null, agentSocket: '', color: false };
  const code = await command.run({
    ...{ config, word: command.words[0]!, args, flags, json: false, signal: abort.signal },
    ...{ out: (text) => void out.push(text), note: (text) => void notes.push(text) },
  });
  return { code, out, notes };
}

it('shows matches as they come, with their day, and goes on where a search ended early', async () => {
  pages = [[found(['one']), found(['two\u001b[2J']), found([], true, 'c1')], [found(['three'], true)]];
  const { code, out } = await run(search, ['disk', 'full'], { host: 'web-1', from: '2h', lines: '10' });
  expect(code).toBe(0);
  expect(out.map((text) => text.replace(/^\S+ \S+ /, ''))).toEqual([
    'info  h agent: one',
    'info  h agent: two␛[2J',
    'info  h agent: three',
  ]);
  expect(out[0]).toMatch(/^20\d\d-\d\d-\d\d /);
  expect(wanted[0]).toMatchObject({ q: 'disk full', host: 'web-1', limit: 10 });
  expect(Math.abs(wanted[0]!.from! - (Date.now() - 7_200_000))).toBeLessThan(60_000);
  expect(wanted[1]).toMatchObject({ cursor: 'c1', limit: 8 });
});

it('ends with 1 when nothing was found, and says what is wrong with a filter', async () => {
  pages = [[found([], true)]];
  expect((await run(search, ['absent'])).code).toBe(1);
  await expect(run(search, ['"'])).rejects.toMatchObject({ code: 'bad-query' });
  pages = [[{ ...found([], true), error: { code: 'timeout', message: 'too long' } }]];
  await expect(run(search, ['x'])).rejects.toMatchObject({ code: 'timeout' });
  await expect(run(search, ['x'], { from: 'soon' })).rejects.toMatchObject({ code: 'bad-request' });
  await expect(run(search, ['x'], { export: 'xml' })).rejects.toMatchObject({ code: 'bad-request' });
});

it('cancels its search at Ctrl-C', async () => {
  const abort = new AbortController();
  const running = run(search, ['slow'], {}, abort);
  while (wanted.length === 0) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  expect((await running).code).toBe(1);
});

it('counts, exports, and uses saved searches', async () => {
  expect((await run(search, ['x'], { count: true, saved: 'full' })).out).toEqual(['7']);
  expect(calls.at(-1)).toBe('GET /api/v1/logs/count?level=warn&q=disk+x');
  const chunks: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  await streamTo({ url, token: 't' }, '/api/v1/logs/export?format=csv', sink, new AbortController().signal);
  expect(chunks.join('')).toBe('time,message\r\n');
  await expect(run(search, [], { saved: 'none' })).rejects.toMatchObject({ code: 'not-found' });
  expect((await run(searches, [])).out.join('\n')).toContain('level=warn disk');
  expect((await run(searches, ['forget', 'FULL'])).code).toBe(0);
  expect(calls.at(-1)).toBe('DELETE /api/v1/searches/1');
});
