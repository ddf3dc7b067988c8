import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edge, startEdge } from '../../test/support/edge.ts';
import { rawTalk, routes } from '../../test/support/edge-routes.ts';
import { SELF_SIGNED } from '../../test/support/self-signed.ts';
import { createHttp } from './http.ts';

const upgrades: string[] = [];
let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({
    routes,
    http: { allowedHosts: ['webvirt.example'] },
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

describe('one port', () => {
  it('speaks HTTP and TLS, whatever way the bytes arrive', async () => {
    const line = 'GET /api/v1/things/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    for (const options of [{}, { secure: true }, { pieces: true }, { secure: true, pieces: true }]) {
      expect(await rawTalk(edge.port, line, options)).toContain('{"err":null,"data":{"id":"a","limit":5}}');
    }
    const secure = await edge.ask('/api/v1/things/a', { secure: true });
    expect(secure.status).toBe(200);
  });

  it('marks the cookie Secure under TLS only, also when a proxy ends it', async () => {
    const Origin = `https://127.0.0.1:${edge.port}`;
    const proxied = (await edge.signIn({ headers: { Origin } })).answer.headers['set-cookie']![0]!;
    expect(proxied).toMatch(/; Secure$/);
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
    expect(await rawTalk(edge.port, 'GET /api/v1/things/a HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toContain(
      ' 421 ',
    );
    expect(await rawTalk(edge.port, 'GET /api/v1/things/a HTTP/1.0\r\n\r\n')).toContain(' 421 ');
  });

  it('holds for upgrades too', async () => {
    const upgrade = (path: string, host: string) =>
      rawTalk(edge.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
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
      const heard = await rawTalk(edge.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
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
