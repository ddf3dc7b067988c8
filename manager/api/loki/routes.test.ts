import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebvirtError } from '../../../common/errors.ts';
import type { NewLine } from '../../../common/model/line.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import type { LineDoor } from '../intake/door.ts';
import { lokiRoutes } from './routes.ts';

const NOW = 1_700_000_000_000;
let edge: Edge;
let headers: Record<string, string>;
let token = '';
let lines: NewLine[] = [];
let fault: WebvirtError | null = null;
const door: LineDoor = {
  admit: () => undefined,
  refused: () => undefined,
  async store(_sender, given) {
    if (fault !== null) throw fault;
    lines.push(...given);
  },
};

beforeAll(async () => {
  edge = await startEdge();
  await edge.swapRoutes(lokiRoutes({ door, nowMs: () => NOW }));
  const { Authorization } = edge.bearer('admin').headers;
  token = Authorization.slice('Bearer '.length);
  headers = { Authorization, 'Content-Type': 'application/json' };
});
beforeEach(() => {
  [lines, fault] = [[], null];
});
afterAll(async () => {
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

const post = (body: unknown, more: Record<string, string> = {}) =>
  edge.ask('/loki/api/v1/push', {
    method: 'POST',
    headers: { ...headers, ...more },
    body: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('a push as to Loki', () => {
  it('keeps labels and metadata as fields, takes the level from them, and answers 204', async () => {
    const stream = { app: 'shop', level: 'warning', host: 'elsewhere', job: 'varlogs', gap: 'x' };
    const answer = await post({
      streams: [
        {
          stream,
          values: [
            ['1700000000123456789', 'one', { trace_id: 'abc', level: 'crit' }],
            ['0', 'two\r\nforged'],
          ],
        },
      ],
    });
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([204, '', undefined]);
    const labels = { app: 'shop', 'external.host': 'elsewhere', 'external.job': 'varlogs', 'external.gap': 'x' };
    const common = { source: 'external', unit: 'shop' };
    expect(lines).toEqual([
      {
        ...{ ...common, tsMs: 1_700_000_000_123, level: 'error', message: 'one' },
        fields: { ...labels, 'external.level': 'crit', trace_id: 'abc', sender: 'admin@test', via: 'loki' },
      },
      {
        ...{ ...common, tsMs: NOW, level: 'warn', message: 'two\r\nforged' },
        fields: { ...labels, 'external.level': 'warning', sender: 'admin@test', via: 'loki' },
      },
    ]);
  });

  it('stores what is good and says in words what was refused', async () => {
    const values = [['1700000000000000000', 'good'], ['soon', 'x'], [7], 'x', ['1', 2], ['1', 'x', 3]];
    const answer = await post({ streams: [{ stream: {}, values }, { values: [] }, 7] });
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(answer.text).toMatch(/^7 entries were refused, 1 stored: entry 1: the time of an entry must be/);
    expect(lines.map(({ message }) => message)).toEqual(['good']);
    for (const body of ['{', '[]', '{"streams":{}}']) expect((await post(body)).status, body).toBe(400);
    fault = new WebvirtError('store-unavailable', 'Later.', { retryAfterMs: 1_000 });
    const later = await post({ streams: [{ stream: {}, values: [['1', 'x']] }] });
    expect([later.status, later.text]).toEqual([503, 'Later.\n']);
  });

  it('takes gzip, refuses Protobuf with what to set, and takes the token as a password', async () => {
    const body = { streams: [{ stream: { a: 'b' }, values: [['1700000000000000000', 'packed']] }] };
    expect((await post(gzipSync(JSON.stringify(body)), { 'Content-Encoding': 'gzip' })).status).toBe(204);
    const snappy = await post(Buffer.from([1, 2]), { 'Content-Type': 'application/x-protobuf' });
    expect([snappy.status, snappy.text]).toEqual([415, expect.stringContaining('Content-Type: application/json')]);
    const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    expect((await post(body, basic(`anybody:${token}`))).status).toBe(204);
    expect((await post(body, basic(`anybody:${token}x`))).status).toBe(401);
    expect((await post(body, basic('admin:correct horse battery'))).status).toBe(401);
    // A browser adds Basic credentials on its own: not for a page of another site.
    expect((await post(body, { ...basic(`:${token}`), Origin: 'https://evil.example' })).status).toBe(403);
    expect(lines).toHaveLength(2);
  });
});
