import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Line } from '../common/model/line.ts';
import { checkConfig } from '../common/pure/config/check.ts';
import { managerIsReady } from '../test/support/whole-manager.ts';
import { managerConfigSchema } from './config.ts';
import type { WayReport } from './intake/outside/ports.ts';
import { createManager, type Manager } from './manager.ts';

// Lines of programs outside through the whole manager: all ways in, hostile text, and senders that flood.

const HOSTILE = [
  ...['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', 'javascript:alert(1)', '{{7*7}}', '#{7*7}'],
  ...['one\r\nFORGED <11>su: root', 'a\u2028b\u2029c\u0085d', 'x\u0000y', '\u001b]52;c;AAAA\u0007', '\u009b31m red'],
  ...[
    'bidi \u202e\u2066',
    'zero\u200b\u00ad',
    '{"level":"error","level":"debug","agent":"manager"}',
    "'; DROP TABLE lines;--",
  ],
  ...[
    '\ud83d\ude00 \u0131\u0130',
    '%s%n%x',
    '=HYPERLINK("x")',
    '<13>1 - - - - - nested',
    '\\u0000 \\"',
    'a'.repeat(30_000),
  ],
];
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u00ad\u2028\u2029\u202e\u2066]/u;

let folder: string;
let manager: Manager;
let url: string;
let token: string;
const headers = () => ({ Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' });
const data = async <T>(path: string) =>
  ((await (await fetch(`${url}${path}`, { headers: headers() })).json()) as { data: T }).data;
const lines = async (q: string) =>
  (await data<{ lines: Line[] }>(`/api/v1/logs?limit=5000&q=${encodeURIComponent(q)}`)).lines.reverse();
const way = async (name: string) => (await data<WayReport[]>('/api/v1/intake')).find((one) => one.way === name)!;
const post = (path: string, body: unknown) =>
  fetch(`${url}${path}`, { method: 'POST', headers: headers(), body: JSON.stringify(body) });
const portOf = async (name: string) => Number((await way(name)).listens!.split(':').at(-1));

/** Asks again until it is so: what is asked is told by nobody. */
async function until<T>(ask: () => Promise<T>, test: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (test(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-outside-'));
  const raw = {
    ...{ dataDir: join(folder, 'data'), port: 0, adminPassword: 'correct horse battery', logLevel: 'error' },
    intake: {
      ...{ linesPerSecond: 100, burst: 2_000 },
      syslog: { udpPort: 0, tcpPort: 0, allow: ['127.0.0.0/8'] },
    },
  };
  const config = checkConfig(managerConfigSchema, raw, { file: 'test' });
  manager = createManager(config, { version: '1.2.3', webFolder: null, stderr: false });
  url = (await manager.start()).url;
  await managerIsReady(url);
  token = readFileSync(join(folder, 'data', 'local', 'admin.token'), 'utf8').trim();
});
afterAll(async () => {
  await manager.stop();
  rmSync(folder, { recursive: true, force: true });
});

const nanos = '1767225600000000000';
const WAYS: [string, (messages: string[]) => Promise<void>][] = [
  [
    'via:otlp',
    async (messages) => {
      const logRecords = messages.map((stringValue) => ({ timeUnixNano: nanos, body: { stringValue } }));
      const answer = await post('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
      expect(await answer.text()).toBe('{}');
    },
  ],
  [
    'via:loki',
    async (messages) => {
      const values = messages.map((message) => [nanos, message]);
      expect((await post('/loki/api/v1/push', { streams: [{ stream: {}, values }] })).status).toBe(204);
    },
  ],
  [
    'via:http',
    async (messages) => {
      const list = messages.map((message) => ({ message, source: 'audit', agent: 'manager', host: 'web-1', id: 'x' }));
      expect(await (await post('/api/v1/logs', list)).json()).toMatchObject({ data: { accepted: messages.length } });
    },
  ],
  [
    'via:syslog-tcp',
    async (messages) => {
      const socket = connect(await portOf('syslog-tcp'), '127.0.0.1');
      await once(socket, 'connect');
      for (const message of messages) {
        const bytes = Buffer.from(`<14>1 - web-1 app - - - ${message}`);
        socket.write(`${bytes.length} `);
        socket.write(bytes);
      }
      socket.end();
      await once(socket, 'close');
    },
  ],
  [
    'via:syslog-udp',
    async (messages) => {
      const [socket, port] = [createSocket('udp4'), await portOf('syslog-udp')];
      for (const message of messages)
        await new Promise((resolve) => socket.send(`<14>1 - web-1 app - - - ${message}`, port, '127.0.0.1', resolve));
      socket.close();
    },
  ],
];

describe.each(WAYS)('hostile text by %s', (q, send) => {
  it('is one line for each event, as it was, of a sender that it cannot name', async () => {
    await send(HOSTILE);
    const found = await until(
      () => lines(q),
      ({ length }) => length >= HOSTILE.length,
    );
    expect(found.map(({ message }) => message)).toEqual(HOSTILE);
    for (const line of found) {
      expect([line.source, line.level, line.host, line.agent]).toEqual(['external', 'info', '', 'external']);
      expect(line.fields!['gap']).toBeUndefined();
    }
    expect(await lines(`${q} host:*`)).toEqual([]);
    for (const format of ['csv', 'text', 'ndjson']) {
      const path = `/api/v1/logs/export?format=${format}&q=${encodeURIComponent(q)}`;
      const text = await (await fetch(url + path, { headers: headers() })).text();
      expect(text.replaceAll('\r\n', '\n'), format).not.toMatch(ACTING);
      expect(text.trimEnd().split('\n')).toHaveLength(HOSTILE.length + (format === 'csv' ? 1 : 0));
    }
  });
});

describe('a sender that floods', () => {
  it('is sent back over HTTP, loses with a gap record over UDP, and holds up nobody', async () => {
    const flood = Array.from({ length: 2_500 }, (_, i) => ({ message: `flood ${i}` }));
    expect((await post('/api/v1/logs', flood)).status).toBe(200);
    const refused = await post('/api/v1/logs', flood);
    expect([refused.status, Number(refused.headers.get('retry-after')) >= 1]).toEqual([429, true]);
    // The same credential by another way is another sender with a rate of its own.
    const others = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'not held up' } }] }] }] };
    expect((await post('/v1/logs', others)).status).toBe(200);

    const [socket, port] = [createSocket('udp4'), await portOf('syslog-udp')];
    for (let i = 0; i < 3_000; i += 1)
      await new Promise((resolve) => socket.send(`<14>app: udp flood ${i}`, port, '127.0.0.1', resolve));
    socket.close();
    const gaps = await until(
      () => lines('gap.reason:*udp*'),
      ({ length }) => length > 0,
    );
    const told = gaps.reduce((sum, { fields }) => {
      const { from, to } = fields!['gap'] as { from: number; to: number };
      return sum + to - from + 1;
    }, 0);
    const { dropped } = await way('syslog-udp');
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(dropped.reduce((sum, { count }) => sum + count, 0));
    expect(gaps[0]!.fields!['gap']).toMatchObject({
      reason: expect.stringContaining('syslog-udp 127.0.0.1: more lines'),
    });
    expect(await way('http')).toMatchObject({ sentBack: 1, taken: 2_500 + HOSTILE.length });
  });
});
