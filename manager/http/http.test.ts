import { createServer, connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Edge, startEdge } from './edge.testing.ts';
import { createHttp } from './http.ts';
import { defineRoute } from './route.ts';
import { SELF_SIGNED } from './self-signed.testing.ts';

const json = { 'Content-Type': 'application/json' };
const upgrades: string[] = [];
let releaseRaw: () => void = () => undefined;
let rawWrites = 0;
let edge: Edge;

const routes = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/things/:id',
    summary: 's',
    purpose: 'p',
    access: 'open',
    params: z.object({ id: z.string().max(20) }),
    query: z.object({ limit: z.coerce.number().int().max(10).default(5) }),
    answer: z.object({ id: z.string(), limit: z.number() }),
    handle: ({ params, query }) => ({ id: params.id, limit: query.limit, passwordHash: 'secret' }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/things/special',
    summary: 's',
    purpose: 'p',
    access: 'open',
    answer: z.string(),
    handle: () => 'literal',
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/things',
    summary: 's',
    purpose: 'p',
    access: 'open',
    bodyLimitBytes: 1000,
    body: z.object({ name: z.string(), deep: z.object({ n: z.number() }).optional() }),
    answer: z.object({ name: z.string() }),
    status: 201,
    handle: ({ body }) => body,
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/broken',
    summary: 's',
    purpose: 'p',
    access: 'open',
    handle: () => {
      throw new Error('the password is hunter2');
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/raw',
    summary: 's',
    purpose: 'p',
    access: 'open',
    rawType: 'text/plain; charset=utf-8',
    async handle({ raw }) {
      const chunk = Buffer.alloc(256 * 1024, 'x');
      for (let i = 0; i < 400; i++) {
        await raw!.write(chunk);
        rawWrites += 1;
      }
      releaseRaw();
    },
  }),
];

beforeAll(async () => {
  edge = await startEdge({
    routes,
    http: { headerTimeoutMs: 400, requestTimeoutMs: 700, allowedHosts: ['webvirt.example'] },
    deps: {
      tls: SELF_SIGNED,
      socket: (server) => {
        server.on('upgrade', (request, socket) => {
          upgrades.push(request.url ?? '');
          socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        });
      },
    },
  });
});
afterAll(() => edge.stop());

/** Sends bytes as they are and reads until the peer closes. */
function rawTalk(text: string, options: { secure?: boolean; pieces?: boolean } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const target = { port: edge.port, host: '127.0.0.1' };
    const socket = options.secure ? tlsConnect({ ...target, rejectUnauthorized: false }) : tcpConnect(target);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
    socket.on(options.secure ? 'secureConnect' : 'connect', () => {
      if (!options.pieces) return socket.write(text);
      const next = (i: number) => {
        if (i < text.length) socket.write(text[i]!, () => setImmediate(next, i + 1));
      };
      next(0);
    });
  });
}

describe('envelope', () => {
  it('answers with named fields only', async () => {
    const answer = await edge.ask('/api/v1/things/a?limit=7&other=1');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"err":null,"data":{"id":"a","limit":7}}');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await edge.ask('/api/v1/things/special')).json.data).toBe('literal');
    expect((await edge.ask('/api/v1/things/caf%C3%A9%20x')).json.data).toEqual({ id: 'café x', limit: 5 });
  });

  it('answers HEAD without a body, 405 with the methods and 404, all in the envelope', async () => {
    const head = await edge.ask('/api/v1/things/a', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(10);
    const wrong = await edge.ask('/api/v1/things/a', { method: 'DELETE' });
    expect([wrong.status, wrong.json.err, wrong.headers.allow]).toEqual([405, 'method-not-allowed', 'HEAD, GET']);
    for (const method of ['OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']) {
      const other = await edge.ask('/api/v1/things', { method });
      expect([other.status, other.json.err], method).toEqual([405, 'method-not-allowed']);
    }
    const nothing = await edge.ask('/api/v1/nothing');
    expect([nothing.status, nothing.json]).toEqual([
      404,
      { err: 'not-found', message: 'There is nothing at this address.', data: null },
    ]);
  });

  it('logs a fault whole under an id and answers it blandly', async () => {
    const answer = await edge.ask('/api/v1/broken');
    expect([answer.status, answer.json.err]).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('hunter2');
    const logged = edge.faults.at(-1)!;
    expect(JSON.stringify(logged.fields)).toContain('hunter2');
    expect(answer.json.message).toContain(String(logged.fields!['id']));
  });

  it('names the path of what is wrong', async () => {
    const cases: [string, string, string][] = [
      ['GET', '/api/v1/things/a?limit=99', 'query.limit: '],
      ['GET', '/api/v1/things/a?limit=1&limit=2', 'query.limit: '],
      ['GET', '/api/v1/things/aaaaaaaaaaaaaaaaaaaaaaaaaaa', 'params.id: '],
    ];
    for (const [method, path, start] of cases) {
      const { status, json: body } = await edge.ask(path, { method });
      expect([status, body.err, body.message?.startsWith(start)], path).toEqual([400, 'bad-request', true]);
    }
    const deep = await edge.ask('/api/v1/things', {
      method: 'POST',
      headers: json,
      body: '{"name":"a","deep":{"n":"x"}}',
    });
    expect(deep.json.message).toMatch(/^body\.deep\.n: /);
  });
});

describe('bodies', () => {
  const post = (body: string | Buffer, headers: Record<string, string> = json) =>
    edge.ask('/api/v1/things', { method: 'POST', headers, body });

  it('takes JSON and nothing else', async () => {
    expect((await post('{"name":"é"}')).json.data).toEqual({ name: 'é' });
    expect((await post('{"name":"a"}', { 'Content-Type': 'application/json; charset=UTF-8' })).status).toBe(201);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonx',
      'application/json; charset=utf-16',
      'text/plain; application/json',
    ]) {
      const answer = await post('{"name":"a"}', { 'Content-Type': type });
      expect([answer.status, answer.json.err], type).toEqual([415, 'unsupported-media-type']);
    }
    expect((await post('{"name":"a"}', {})).status).toBe(415);
    expect((await post('{"name":"a"}', { ...json, 'Content-Encoding': 'gzip' })).status).toBe(415);
    expect((await post('')).json.err).toBe('bad-request');
    expect((await post('{"name":')).json.message).toContain('not valid JSON');
    expect((await post(Buffer.from([0x22, 0xff, 0x22]))).json.message).toContain('UTF-8');
  });

  it('refuses a large body by its declared length and by what arrives', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(5_000_000) });
    for (const headers of [json, { ...json, 'Transfer-Encoding': 'chunked' }]) {
      const answer = await post(large, headers);
      expect([answer.status, answer.json.err]).toEqual([413, 'too-large']);
    }
  });

  it('refuses keys that reach a prototype, and deep nesting', async () => {
    for (const body of [
      '{"name":"a","__proto__":{"x":1}}',
      '{"name":"a","deep":{"n":1,"\\u005f_proto__":{"x":1}}}',
      '{"name":"a","constructor":{"prototype":{"x":1}}}',
      `${'['.repeat(400)}${']'.repeat(400)}`,
    ]) {
      expect((await post(body)).json.err, body).toBe('bad-request');
    }
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('drops a peer that sends its headers or its body too slowly', async () => {
    const lateHeaders = await rawTalk('POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\n');
    expect(lateHeaders).toContain('408');
    const lateBody = await rawTalk(
      'POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"na',
    );
    expect(lateBody).toContain('408');
    expect(await rawTalk('')).toBe('');
    expect(await rawTalk('\u0001\u0002 nonsense\r\n\r\n')).toContain('400');
  });
});

describe('one port', () => {
  it('speaks HTTP and TLS, whatever way the bytes arrive', async () => {
    const line = 'GET /api/v1/things/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    for (const options of [{}, { secure: true }, { pieces: true }, { secure: true, pieces: true }]) {
      expect(await rawTalk(line, options)).toContain('{"err":null,"data":{"id":"a","limit":5}}');
    }
    const secure = await edge.ask('/api/v1/things/a', { secure: true });
    expect(secure.status).toBe(200);
  });

  it('marks the cookie Secure under TLS only', async () => {
    const plain = (await edge.signIn()).answer.headers['set-cookie']![0]!;
    const secure = (await edge.signIn({ secure: true })).answer.headers['set-cookie']![0]!;
    expect(plain).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(secure).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
  });

  it('says which port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const config = {
      listen: '127.0.0.1',
      port,
      allowedHosts: [],
      headerTimeoutMs: 1000,
      requestTimeoutMs: 1000,
      maxConnections: 10,
      webFolder: null,
    };
    const log = { error: () => 0, warn: () => 0, info: () => 0, debug: () => 0 };
    const http = createHttp(config, { routes: [], auth: edge.auth, tls: null, log });
    await expect(http.start()).rejects.toThrow(`port: ${port} on 127.0.0.1 is in use already`);
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('gate', () => {
  it('answers to names it knows only', async () => {
    for (const host of ['localhost', 'LOCALHOST:4600', '127.0.0.1:1', '[::1]:4600', 'a.localhost', 'webvirt.example']) {
      expect((await edge.ask('/api/v1/things/a', { headers: { Host: host } })).status, host).toBe(200);
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.1.2.3',
      'localhost@evil',
      'localhost:x',
      'webvirt.example.',
    ]) {
      const answer = await edge.ask('/api/v1/things/a', { headers: { Host: host } });
      expect([answer.status, answer.json.err], host).toEqual([421, 'bad-host']);
      expect(answer.headers['content-security-policy']).not.toContain('evil');
    }
    expect(await rawTalk('GET /api/v1/things/a HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toContain(' 421 ');
    expect(await rawTalk('GET /api/v1/things/a HTTP/1.0\r\n\r\n')).toContain(' 421 ');
  });

  it('holds for upgrades too', async () => {
    const upgrade = (path: string, host: string) =>
      rawTalk(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    expect(await upgrade('/socket.io/?EIO=4', 'localhost')).toContain('101');
    expect(await upgrade('/socket.io/?EIO=4', 'evil.example')).toContain('421');
    expect(await upgrade('//socket.io/?EIO=4', 'localhost')).toContain('404');
    expect(upgrades).toEqual(['/socket.io/?EIO=4']);
  });

  it('knows one spelling of an address', async () => {
    const odd = [
      '//api/v1/things/a',
      '/api//v1/things/a',
      '/api/v1/things/a/',
      '/API/v1/things/a',
      '/api/v1/Things/a',
      '/api/v1/things/.',
      '/api/v1/things/..',
      '/api/v1/./things/a',
      '/api/v1/x/../things/a',
      '/api/v1/%74hings/a',
      '/api/v1/things%2fa',
      '/api/v1/things/a%00',
      '/api/v1/things/a.',
      '/api/v1/things./a',
      '/api/v1/things/%2e%2e',
      '/api/v1/things/a%5c',
      '/api/v1\\things\\a',
      '/api/v1/things/%',
      '/api/v1/things/%zz',
      '/api/v1/things/%ff',
      '/api/v1/things;/a',
      'http://localhost/api/v1/things/a',
      '*',
      '/api/v1/things/a%0d%0aX:1',
    ];
    for (const path of odd) {
      const heard = await rawTalk(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(heard.split('\r\n')[0], path).toMatch(/ 404 /);
      expect(heard, path).toContain('"err":"not-found"');
    }
  });

  it('sends headers that bind the browser', async () => {
    for (const path of ['/api/v1/things/a', '/api/v1/nothing', '//x']) {
      const { headers } = await edge.ask(path);
      const csp = String(headers['content-security-policy']);
      expect(csp).toContain("default-src 'self'");
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toMatch(/unsafe|\*/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('same-origin');
    }
  });
});

describe('raw answers', () => {
  it('write no faster than the peer reads', async () => {
    const done = new Promise<void>((resolve) => {
      releaseRaw = resolve;
    });
    const socket = tcpConnect({ port: edge.port, host: '127.0.0.1' });
    socket.write('GET /api/v1/raw HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    // The kernel's buffers take some megabytes of the 100; then the route must stand still until somebody reads.
    let before = -1;
    while (before !== rawWrites) {
      before = rawWrites;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(rawWrites).toBeLessThan(200);
    socket.resume();
    await done;
    expect(rawWrites).toBe(400);
  });
});
