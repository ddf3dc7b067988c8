import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edge, startEdge } from '../../test/support/edge.ts';

const CANARY = 'canary-7f3a';
let base: string;
let edge: Edge;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'webvirt-static-'));
  const web = join(base, 'web');
  mkdirSync(join(web, 'assets'), { recursive: true });
  mkdirSync(join(base, 'web-private'));
  for (const file of ['secret.txt', 'web-private/secret.txt', 'web/.env.txt', 'secret.js'])
    writeFileSync(join(base, file), CANARY);
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>console</title>');
  writeFileSync(join(web, 'assets/app-1a2b.js'), 'console.log("plain")');
  writeFileSync(join(web, 'assets/app-1a2b.js.br'), 'packed by brotli');
  writeFileSync(join(web, 'assets/app-1a2b.js.gz'), 'packed by gzip');
  writeFileSync(join(web, 'assets/program.exe'), CANARY);
  symlinkSync(join(base, 'secret.txt'), join(web, 'link.txt'));
  symlinkSync(base, join(web, 'up'));
  symlinkSync('/proc/self', join(web, 'proc'));
  mkdirSync(join(web, 'folder.txt'));
  linkSync(join(web, 'index.html'), join(web, 'same.html'));
  edge = await startEdge({ http: { webFolder: web } });
});
afterAll(async () => {
  await edge.stop();
  rmSync(base, { recursive: true, force: true });
});

/** A client that sends the address as it is: others tidy it first. */
function rawGet(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: edge.port, host: '127.0.0.1' });
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
    socket.write(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 'latin1'));
  });
}

function payloads(): string[] {
  const ups = [
    '..',
    '%2e%2e',
    '%2E%2E',
    '.%2e',
    '%252e%252e',
    '..;',
    '....',
    '..%00',
    '%c0%ae%c0%ae',
    '\u00e0\u0080\u00ae',
    '..%5c',
    '. .',
    '%2e%2e%2f',
    '..\\',
  ];
  const separators = ['/', '%2f', '%5c', '\\', '//', '%252f', '/./', '%c0%af'];
  const made = ups.flatMap((up) => separators.map((separator) => `/${up}${separator}secret.txt`));
  const nested = ups.map((up) => `/assets/${up}/${up}/${up}/secret.txt`);
  return [
    ...made,
    ...nested,
    '/../web-private/secret.txt',
    '/..%2fweb-private%2fsecret.txt',
    '//etc/passwd',
    '///etc/passwd',
    '/%2fetc%2fpasswd',
    '/etc/passwd',
    '/proc/self/environ',
    '/proc/environ',
    '/proc/cmdline.txt',
    '/link.txt',
    '/up/secret.txt',
    '/up/web-private/secret.txt',
    '/up/secret.js',
    '/.env.txt',
    '/%2eenv.txt',
    '/assets/../.env.txt',
    '/assets/program.exe',
    '/secret.txt%00.html',
    '/secret.txt%00',
    '/index.html%00',
    '/folder.txt',
    '/folder.txt/',
    '/index.html/',
    '/index.html.',
    '/index.html%20',
    '/INDEX.HTML',
    '/assets',
    '/assets/',
    '/assets/nothing',
    '/file:///etc/passwd',
    'file:///etc/passwd',
    '/C:/secret.txt',
    `/${'a'.repeat(7000)}.txt`,
    `/${'../'.repeat(500)}etc/passwd`,
    '/~root/secret.txt',
    '/$HOME/secret.txt',
    '/assets/app-1a2b.js.br',
    '/*',
    '/?',
    '/assets/*.js',
  ];
}

it('gives nothing away from outside the folder', async () => {
  const list = payloads();
  expect(list.length).toBeGreaterThan(150);
  for (const path of list) {
    const heard = await rawGet(path);
    expect(heard, path).not.toContain(CANARY);
    expect(heard, path).not.toMatch(/root:|PATH=/);
    expect(heard.split('\r\n')[0], path).toMatch(
      path === '/?' || /^\/(etc\/passwd|proc\/self\/environ|proc\/environ|\*)$/.test(path) ? / (200|404) / : / 40[04] /,
    );
  }
});

describe('the console', () => {
  it('has its page at every address of its own router, and nowhere under the API', async () => {
    for (const path of ['/', '/live', '/hosts/0123abcd', '/instances?q=a', '/same.html']) {
      const answer = await edge.ask(path);
      expect([answer.status, answer.headers['content-type'], answer.text.includes('console')], path).toEqual([
        200,
        'text/html; charset=utf-8',
        true,
      ]);
      expect(answer.headers['cache-control']).toBe('no-cache');
    }
    for (const path of [
      '/api',
      '/api/v2/x',
      '/API/v1/me',
      '/socket.io',
      '/Socket.IO/x',
      '/assets/x',
      '/nothing.js',
      '/nothing.html',
    ]) {
      expect((await edge.ask(path)).json.err, path).toBe('not-found');
    }
    expect((await edge.ask('/hosts', { method: 'POST' })).status).toBe(404);
  });

  it('sends hashed files for ever, packed as the browser likes', async () => {
    const ask = (encoding?: string) =>
      edge.ask('/assets/app-1a2b.js', { headers: encoding === undefined ? {} : { 'Accept-Encoding': encoding } });
    const plain = await ask();
    expect([plain.text, plain.headers['content-encoding']]).toEqual(['console.log("plain")', undefined]);
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(plain.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(plain.headers.vary).toBe('Accept-Encoding');
    const brotli = await ask('gzip, deflate, br');
    expect([brotli.text, brotli.headers['content-encoding']]).toEqual(['packed by brotli', 'br']);
    expect((await ask('gzip')).text).toBe('packed by gzip');
    expect((await ask('br;q=0, gzip')).text).toBe('packed by gzip');
    expect(new Set([plain.headers.etag, brotli.headers.etag, (await ask('gzip')).headers.etag]).size).toBe(3);
  });

  it('answers 304 to whoever has it, and HEAD without the file', async () => {
    const first = await edge.ask('/');
    const again = await edge.ask('/', { headers: { 'If-None-Match': first.headers.etag! } });
    expect([again.status, again.text]).toEqual([304, '']);
    const head = await edge.ask('/', { method: 'HEAD' });
    expect([head.status, head.text, Number(head.headers['content-length'])]).toEqual([200, '', first.text.length]);
  });
});
