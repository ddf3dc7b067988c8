import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server as SocketServer } from 'socket.io';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OutputEvent } from '../../common/model/compute.ts';
import type { CliCall } from './command.ts';
import { run } from './run.ts';

// A manager that answers as the real one does and gives the events it is told to.

let server: Server;
let sockets: SocketServer;
let url: string;
const folder = mkdtempSync(join(tmpdir(), 'webvirt-run-'));
let calls: [string, string, Record<string, unknown>][] = [];
let events: OutputEvent[] = [];
/** After so many events of an answer the connection is cut, once. */
let cutAfter: number | null = null;
let attached: number[] = [];

beforeAll(async () => {
  server = createServer(async (call, answer) => {
    let text = '';
    for await (const chunk of call) text += chunk;
    const body = text === '' ? {} : JSON.parse(text);
    calls.push([call.method!, call.url!, body]);
    const give = (data: unknown, err: string | null = null) =>
      answer.end(JSON.stringify(err === null ? { err, data } : { err, message: 'None of the hosts has it.', data }));
    if (call.url!.endsWith('/cells')) return give({ cell: 2 });
    if (call.method === 'POST' && body['kernel'] === 'sage' && body['title'] === 'none') return give(null, 'no-kernel');
    give({ id: 'session-1', nextSeq: 10 });
  });
  sockets = new SocketServer(server);
  sockets.on('connection', (socket) => {
    socket.on('compute:attach', ({ session, from }, ack) => {
      attached.push(from);
      ack({ err: null, data: { session: {}, firstSeq: from, nextSeq: from } });
      const all = events.map((event, i) => ({ seq: 10 + i, tsMs: 0, event })).filter(({ seq }) => seq >= from);
      const now = cutAfter === null ? all : all.slice(0, cutAfter);
      socket.emit('compute:output', { session, events: now });
      if (cutAfter === null) return;
      cutAfter = null;
      socket.conn.close();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await sockets.close();
});
afterEach(() => vi.restoreAllMocks());

async function running(args: string[], flags: CliCall['flags'] = {}) {
  calls = [];
  attached = [];
  const said = { out: '', err: '' };
  const into = (name: 'out' | 'err') => (text: unknown) => {
    said[name] += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(into('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(into('err'));
  const call: CliCall = {
    ...{ config: { url, token: 't', ca: null, agentSocket: '', color: false }, word: 'run', args, flags },
    ...{ json: flags['json'] === true, signal: new AbortController().signal },
    out: (text) => void into('out')(`${text}\n`),
    note: (text) => void into('err')(`${text}\n`),
  };
  const code = await run.run(call).finally(() => vi.restoreAllMocks());
  return { code, ...said };
}
const ended = (status: 'ok' | 'error' | 'interrupted' | 'died'): OutputEvent => ({
  ...{ type: 'ended', cell: 2, status, elapsedMs: 1 },
});
const text = (value: string, cell = 2): OutputEvent => ({ type: 'stdout', cell, text: value });

describe('webvirt run', () => {
  it('shows what its own cell gives, ends the session, and tells the end by the exit code', async () => {
    events = [text('not mine', 1), text('one\n'), ended('ok'), text('later')];
    expect(await running(['1 + 1'])).toEqual({ code: 0, out: 'one\n', err: '' });
    expect(calls.map(([method, path]) => `${method} ${path}`)).toEqual([
      'POST /api/v1/compute/sessions',
      'POST /api/v1/compute/sessions/session-1/cells',
      'DELETE /api/v1/compute/sessions/session-1',
    ]);
    expect([calls[0]![2]['kernel'], calls[1]![2]['code']]).toEqual(['sage', '1 + 1']);
    events = [ended('error')];
    expect((await running(['x'])).code).toBe(1);
    events = [ended('interrupted')];
    expect(await running(['x'])).toMatchObject({ code: 130, err: 'Interrupted.\n' });
  });

  it('says why a session died, after the end of its cell', async () => {
    const death = { cause: 'out-of-memory', text: 'at the limit of 512 MiB' } as const;
    events = [text('begun\n'), ended('died'), { type: 'died', cell: 2, death }];
    const { code, err } = await running(['x']);
    expect([code, err]).toEqual([1, expect.stringMatching(/needed more memory.*at the limit of 512 MiB/)]);
  });

  it('goes on after a lost connection behind the last event, and shows each once', async () => {
    events = [text('a'), text('b'), text('c'), ended('ok')];
    cutAfter = 2;
    expect((await running(['x'])).out).toBe('abc');
    expect(attached).toEqual([10, 12]);
  });

  it('never computes in another language than was asked for', async () => {
    await expect(running(['none'])).rejects.toThrow(/For plain Python: --kernel python/);
    await expect(running(['none'], { kernel: 'sage' })).rejects.toThrow(/^None of the hosts has it\.$/);
    const file = join(folder, 'code.py');
    writeFileSync(file, '2**3');
    events = [ended('ok')];
    await running([], { file });
    expect([calls[0]![2]['kernel'], calls[1]![2]['code']]).toEqual(['python', '2**3']);
    await expect(running(['1', '+', '1'])).rejects.toThrow(/one pair of quotes/);
    await expect(running([], { file: join(folder, 'none') })).rejects.toThrow(/cannot be read \(ENOENT\)/);
  });

  it('uses a session that is named and leaves it open', async () => {
    events = [ended('ok')];
    expect((await running(['x'], { session: 'session-1' })).err).toMatch(/stays open/);
    expect(calls.map(([method]) => method)).toEqual(['GET', 'POST']);
  });

  it('saves plots where it is told, and else says that there was one', async () => {
    events = [{ type: 'display', cell: 2, data: { 'image/png': Buffer.from('png').toString('base64') } }, ended('ok')];
    expect((await running(['x'])).err).toMatch(/A plot was made \(image\/png, 3 B\); --save DIR/);
    await running(['x'], { save: folder });
    expect(readFileSync(join(folder, 'plot-2-1.png'), 'utf8')).toBe('png');
  });
});
