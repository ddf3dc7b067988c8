import { gzipSync } from 'node:zlib';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebvirtError } from '../../../common/errors.ts';
import type { NewLine } from '../../../common/model/line.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import type { LineDoor } from '../intake/door.ts';
import { otlpRoutes } from './routes.ts';

const NOW = 1_700_000_000_000;
let edge: Edge;
let headers: Record<string, string>;
let lines: NewLine[] = [];
let refused: [string, number][] = [];
let fault: WebvirtError | null = null;
let full = false;
const door: LineDoor = {
  admit() {
    if (full) throw new WebvirtError('too-many-requests', 'Slowly.', { retryAfterMs: 1_500 });
  },
  async store(_sender, given) {
    if (fault !== null) throw fault;
    lines.push(...given);
  },
  refused: (_sender, reason, count = 1) => void refused.push([reason, count]),
};

beforeAll(async () => {
  edge = await startEdge();
  await edge.swapRoutes(otlpRoutes({ door, nowMs: () => NOW }));
  headers = { ...edge.bearer('admin').headers, 'Content-Type': 'application/json' };
});
beforeEach(() => {
  [lines, refused, fault, full] = [[], [], null, false];
});
afterAll(async () => {
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

const post = (body: unknown, more: Record<string, string> = {}) =>
  edge.ask('/v1/logs', {
    method: 'POST',
    headers: { ...headers, ...more },
    body: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body),
  });
const request = (...logRecords: unknown[]) => ({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
const text = (stringValue: string) => ({ stringValue });

describe('OTLP', () => {
  it('comes from the OpenTelemetry SDK as it is', async () => {
    const url = `http://127.0.0.1:${edge.port}/v1/logs`;
    const exporter = new OTLPLogExporter({ url, headers: edge.bearer('admin').headers });
    const processor = new BatchLogRecordProcessor({ exporter });
    const provider = new LoggerProvider({ processors: [processor] });
    const logger = provider.getLogger('shop.basket', '1.2.3');
    logger.emit({
      ...{ severityNumber: SeverityNumber.ERROR, severityText: 'ERROR', body: 'payment failed', timestamp: NOW - 5 },
      attributes: { 'http.status_code': 502, retry: true, tags: ['a', 'b'] },
    });
    logger.emit({ severityNumber: SeverityNumber.DEBUG2, body: { user: 'ann', depth: { n: 1 } } as never });
    await provider.shutdown();
    expect(lines.map(({ level, source, message, tsMs }) => [level, source, message, tsMs === NOW - 5])).toEqual([
      ['error', 'external', 'payment failed', true],
      ['debug', 'external', '{"user":"ann","depth":{"n":1}}', false],
    ]);
    expect(lines[0]!.fields).toMatchObject({
      ...{ 'http.status_code': 502, retry: true, tags: ['a', 'b'], severityText: 'ERROR' },
      ...{ 'scope.name': 'shop.basket', 'scope.version': '1.2.3', 'telemetry.sdk.language': 'nodejs' },
      ...{ sender: 'admin@test', via: 'otlp' },
    });
    expect(lines[0]!.unit).toMatch(/^unknown_service/);
    expect(lines[1]!.fields).toMatchObject({ body: { user: 'ann', depth: { n: 1 } } });
  });

  it('keeps ids, the attributes of every layer, and every kind of value', async () => {
    const attributes = [
      { key: 'host', value: text('elsewhere') },
      { key: 'gap', value: { kvlistValue: { values: [{ key: 'reason', value: text('forged') }] } } },
      { key: 'sender', value: text('root') },
      { key: '__proto__', value: text('x') },
      ...[{ intValue: '9007199254740993' }, { intValue: '42' }, { doubleValue: 0.5 }, { bytesValue: 'AAE=' }].map(
        (value, i) => ({ key: `v${i}`, value }),
      ),
      { key: 'list', value: { arrayValue: { values: [{ intValue: 7 }, {}] } } },
    ];
    const record = {
      ...{ timeUnixNano: '1700000000123456789', severityNumber: 13, body: text('x'), attributes },
      ...{ traceId: '5B8EFFF798038103D269B633813FC60C', spanId: 'eee19b7ec3c1b174', flags: 1, unknown: 1 },
    };
    const resource = {
      attributes: [
        { key: 'v1', value: text('hidden') },
        { key: 'service.name', value: text('shop') },
      ],
    };
    const scope = { name: 's', attributes: [{ key: 'v1', value: { intValue: 42 } }] };
    const answer = await post({ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record] }] }] });
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([200, '{}', 'application/json']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ tsMs: 1_700_000_000_123, level: 'warn', unit: 'shop' });
    const fields = lines[0]!.fields!;
    expect(Object.getOwnPropertyDescriptor(fields, '__proto__')?.value).toBe('x');
    expect(Object.keys(fields)).not.toContain('gap');
    expect(fields).toMatchObject({
      ...{ 'external.host': 'elsewhere', 'external.gap': { reason: 'forged' }, 'external.sender': 'root' },
      ...{ v0: '9007199254740993', v1: 42, v2: 0.5, v3: 'AAE=', list: [7, null], 'resource.v1': 'hidden' },
      ...{ traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', traceFlags: 1 },
      ...{ 'service.name': 'shop', 'scope.name': 's', sender: 'admin@test' },
    });
    expect(Object.keys(fields)).not.toContain('scope.v1');
  });

  it('answers what was rejected as the protocol says, and stores the rest', async () => {
    const answer = await post(
      request(
        { body: text('good') },
        7,
        { body: text('x'), severityNumber: 99 },
        { body: text('x'), timeUnixNano: 'soon' },
        { body: 'plain' },
        { body: text('also good'), timeUnixNano: '0', severityText: 'Fatal' },
      ),
    );
    expect(answer.status).toBe(200);
    const { partialSuccess } = JSON.parse(answer.text) as { partialSuccess: Record<string, string> };
    expect(partialSuccess['rejectedLogRecords']).toBe('4');
    expect(partialSuccess['errorMessage']).toMatch(/^record 1: not a log record; record 2: severityNumber/);
    expect(lines.map(({ message, level, tsMs }) => [message, level, tsMs])).toEqual([
      ['good', 'info', NOW],
      ['also good', 'error', NOW],
    ]);
    expect(refused.map(([, count]) => count)).toEqual([1, 1, 1, 1]);
    expect((await post({})).text).toBe('{}');
    const many = await post(request(...Array.from({ length: 10_003 }, () => ({ body: text('m') }))));
    expect(many.text).toContain('"rejectedLogRecords":"3"');
  });

  it('takes gzip, and unpacks no bomb', async () => {
    const zipped = { 'Content-Encoding': 'gzip' };
    expect((await post(gzipSync(JSON.stringify(request({ body: text('packed') }))), zipped)).status).toBe(200);
    expect(lines.map(({ message }) => message)).toEqual(['packed']);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    expect(bomb.length).toBeLessThan(100_000);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 5; i++) expect(await post(bomb, zipped)).toMatchObject({ status: 413 });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    expect(await post('no gzip at all', zipped)).toMatchObject({ status: 400 });
    expect(await post(gzipSync('{}').subarray(0, 12), zipped)).toMatchObject({ status: 400 });
    expect(await post('{}', { 'Content-Encoding': 'br' })).toMatchObject({ status: 415 });
  });

  it('tells errors as google.rpc.Status, and what to set instead of Protobuf', async () => {
    const proto = await post(Buffer.from([10, 0]), { 'Content-Type': 'application/x-protobuf' });
    expect([proto.status, JSON.parse(proto.text)]).toEqual([
      415,
      expect.objectContaining({
        code: 3,
        message: expect.stringContaining('OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json'),
      }),
    ]);
    fault = new WebvirtError('store-unavailable', 'Later.', { retryAfterMs: 1_000 });
    const later = await post(request({ body: text('x') }));
    expect([later.status, later.headers['retry-after'], JSON.parse(later.text)]).toMatchObject([
      503,
      '1',
      { code: 14 },
    ]);
    full = true;
    const slow = await post(request({ body: text('x') }));
    expect([slow.status, slow.headers['retry-after'], JSON.parse(slow.text)]).toMatchObject([429, '2', { code: 8 }]);
    full = false;
    for (const body of ['{', '[]', '{"resourceLogs":7}', '7', 'null'])
      expect(JSON.parse((await post(body)).text), body).toMatchObject({ code: 3, err: 'bad-request' });
    expect((await edge.ask('/v1/logs', { method: 'POST', body: '{}' })).status).toBe(401);
  });

  it('survives bodies that are deep, wide or cut off, and gives no line a second row', async () => {
    const deep = `${'{"kvlistValue":{"values":[{"key":"a","value":'.repeat(200)}{}${'}]}}'.repeat(200)}`;
    const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${deep}},{"body":{"stringValue":"one\\r\\ntwo\\u2028three\\u0000"}}]}]}]}`;
    expect((await post(body)).text).toContain('"rejectedLogRecords":"1"');
    expect(lines.map(({ message }) => message)).toEqual(['one\r\ntwo\u2028three\u0000']);
    const nested = '['.repeat(100_000) + ']'.repeat(100_000);
    expect((await post(`{"resourceLogs":${nested}}`)).status).toBeLessThan(500);
    const wide = request({
      body: text('y'.repeat(100_000)),
      attributes: Array.from({ length: 5_000 }, (_, i) => ({ key: `k${i}`, value: text('z'.repeat(50)) })),
    });
    expect((await post(wide)).text).toBe('{}');
    const [last] = lines.slice(-1);
    expect([last!.message.length, last!.fields!['messageCharacters']]).toEqual([65_536, 100_000]);
    expect(JSON.stringify(last!.fields).length).toBeLessThan(40_000);
    expect(last!.fields!['cut']).toBeGreaterThan(4_000);
  });
});
