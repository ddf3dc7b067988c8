import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewLine } from '../../../common/model/line.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { type LogDeps, logRoutes } from '../logs/routes.ts';
import { lokiRoutes } from '../loki/routes.ts';
import { otlpRoutes } from '../otlp/routes.ts';
import type { LineDoor } from './door.ts';

// Bodies that are meant to cost us more than their sender, at every address where lines come in over HTTP.

const PATHS = ['/api/v1/logs', '/v1/logs', '/loki/api/v1/push'];
const GOOD: Record<string, unknown> = {
  '/api/v1/logs': [{ message: 'good' }],
  '/v1/logs': { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'good' } }] }] }] },
  '/loki/api/v1/push': { streams: [{ stream: {}, values: [['1', 'good']] }] },
};
const MIB = 1024 * 1024;
let edge: Edge;
/** The same with little patience: what is sent by no enemy must not be measured by it on a slow machine. */
let impatient: Edge;
let bearer: { Authorization: string };
let stored: NewLine[] = [];

beforeAll(async () => {
  edge = await startEdge({ http: { headerTimeoutMs: 60_000, requestTimeoutMs: 60_000 } });
  impatient = await startEdge({ http: { headerTimeoutMs: 1_000, requestTimeoutMs: 1_500 } });
  const door: LineDoor = {
    admit: () => undefined,
    refused: () => undefined,
    store: async (_sender, lines) => void stored.push(...lines),
  };
  const shared = { door, nowMs: Date.now };
  for (const one of [edge, impatient])
    await one.swapRoutes([
      ...logRoutes({ lines: {} as LogDeps['lines'], ...shared }),
      ...otlpRoutes(shared),
      ...lokiRoutes(shared),
    ]);
  bearer = edge.bearer('admin').headers;
});
afterAll(async () => {
  for (const one of [edge, impatient]) {
    expect(one.faults).toEqual([]);
    await one.stop();
  }
});

const post = (path: string, body: string | Buffer, more: Record<string, string> = {}) =>
  edge.ask(path, { method: 'POST', headers: { ...bearer, 'Content-Type': 'application/json', ...more }, body });
const zipped = { 'Content-Encoding': 'gzip' };

/** A request whose body never comes to its end; resolves with what was answered when it is cut. */
function trickle(path: string, head: string): Promise<string> {
  const { port, bearer: sign } = impatient;
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let heard = '';
    const timer = setInterval(() => socket.write(' '), 20);
    socket.on('data', (chunk) => {
      heard += String(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve(heard);
    });
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${sign('admin').headers.Authorization}\r\nContent-Type: application/json\r\n${head}\r\n\r\n`,
    );
  });
}

describe.each(PATHS)('%s (S20)', (path) => {
  it('keeps no more of a body than its limit, packed or not', async () => {
    stored = [];
    const member = gzipSync(Buffer.alloc(MIB, ' '));
    const bombs: [string | Buffer, Record<string, string>][] = [
      [gzipSync(Buffer.alloc(32 * MIB, '[')), zipped],
      [Buffer.concat(Array.from({ length: 20 }, () => member)), zipped],
      [Buffer.alloc(9 * MIB, ' '), {}],
      [Buffer.alloc(9 * MIB, ' '), { 'Transfer-Encoding': 'chunked' }],
    ];
    for (const [body, more] of bombs)
      expect([413, 0]).toContain(
        await post(path, body, more).then(
          ({ status }) => status,
          () => 0,
        ),
      );
    expect(stored).toEqual([]);
  });

  it('refuses what is no body of lines, and takes a good one after it', async () => {
    stored = [];
    const good = JSON.stringify(GOOD[path]);
    const wrong: [string | Buffer, Record<string, string>, number][] = [
      [gzipSync(gzipSync(good)), zipped, 400],
      [gzipSync(good).subarray(0, 20), zipped, 400],
      [good, zipped, 400],
      [gzipSync(good), { 'Content-Encoding': 'br' }, 415],
      [gzipSync(good), { 'Content-Encoding': 'gzip, gzip' }, 415],
      [good, { 'Content-Type': 'text/plain' }, 415],
      [good, { 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
      [`${good}${good}`, {}, 400],
      [good.slice(0, -2), {}, 400],
      ['"', {}, 400],
    ];
    for (const [body, more, status] of wrong)
      expect((await post(path, body, more)).status, String(body).slice(0, 40)).toBe(status);
    expect((await post(path, gzipSync(good), zipped)).status).toBeLessThan(300);
    expect(stored.map(({ message }) => message)).toEqual(['good']);
  });

  it('cuts bodies that never end, and answers others meanwhile', async () => {
    const slow = [
      ...Array.from({ length: 5 }, () => trickle(path, 'Content-Length: 100000')),
      ...Array.from({ length: 5 }, () => trickle(path, 'Content-Length: 100000\r\nContent-Encoding: gzip')),
    ];
    const headers = { ...impatient.bearer('admin').headers, 'Content-Type': 'application/json' };
    const good = await impatient.ask(path, { method: 'POST', headers, body: JSON.stringify(GOOD[path]) });
    expect(good.status).toBeLessThan(300);
    for (const heard of await Promise.all(slow)) expect(heard).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
  });

  it('gets through millions of nothings in one body without holding up the rest for long', async () => {
    const rows: Record<string, string> = {
      '/api/v1/logs': `[${'0,'.repeat(1_000_000)}0]`,
      '/v1/logs': `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${'0,'.repeat(1_000_000)}0]}]}]}`,
      '/loki/api/v1/push': `{"streams":[{"stream":{},"values":[${'0,'.repeat(1_000_000)}0]}]}`,
    };
    stored = [];
    const answer = await post(path, gzipSync(rows[path]!), zipped);
    expect(answer.text).toMatch(/(100000|99000)[01]/);
    expect(stored).toEqual([]);
    if (path !== '/api/v1/logs') return;
    const ndjson = { ...zipped, 'Content-Type': 'application/x-ndjson' };
    const many = await post(path, gzipSync('0\n'.repeat(1_000_000)), ndjson);
    expect(many.json.data).toMatchObject({ accepted: 0, refusedCount: 1_000_000 });
  });
});
