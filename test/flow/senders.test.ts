import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import type { WayIn } from '../../common/model/way-in.ts';
import { untilBody } from '../support/live.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Programs that people have: rsyslog, logger(1), curl, the SDK of OpenTelemetry. All on loopback.

const RSYSLOGD = '/usr/sbin/rsyslogd';
const MODULES = '/usr/lib/x86_64-linux-gnu/rsyslog';
/** What an action of rsyslog sends in one go, if it is not told otherwise. */
const RSYSLOG_BATCH = 128;
const hasRsyslog = existsSync(RSYSLOGD) && existsSync('/usr/bin/logger');
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'webvirt-senders-'));
const children: ChildProcess[] = [];
let stack: Stack;
let ports: { udp: number; tcp: number; tls: number };

/** A port that is free now; the manager takes it again after each start. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

beforeAll(async () => {
  ports = { udp: await freePort(), tcp: await freePort(), tls: await freePort() };
  stack = await startStack({
    ...{ agent: false, crawler: false },
    manager: {
      WEBVIRT_INTAKE_SYSLOG_UDP_PORT: String(ports.udp),
      WEBVIRT_INTAKE_SYSLOG_TCP_PORT: String(ports.tcp),
      WEBVIRT_INTAKE_SYSLOG_TLS_PORT: String(ports.tls),
      WEBVIRT_INTAKE_SYSLOG_ALLOW: '127.0.0.1',
    },
  });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const search = async (q: string) =>
  (await stack.get<{ lines: Line[] }>(`/api/v1/logs?limit=5000&q=${encodeURIComponent(q)}`)).lines;

/** Numbers of the messages `seq <n>` of a program that are stored, ascending. */
const numbersOf = async (unit: string) =>
  (await search(`unit:${unit}`)).map(({ message }) => Number(message.split(' ')[1])).sort((a, b) => a - b);

interface Forwarding {
  name: string;
  to: string;
  global?: string;
}

/** An rsyslogd of our own, which reads a socket of ours and forwards. Answers how to log so many numbered messages. */
async function startRsyslog({ name, to, global = '' }: Forwarding) {
  const dir = mkdtempSync(join(folder, `${name}-`));
  const socket = join(dir, 'log');
  writeFileSync(
    join(dir, 'conf'),
    `global(workDirectory="${dir}" ${global})
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${socket}" CreatePath="on" RateLimit.Interval="0")
action(type="omfwd" target="127.0.0.1" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format" ${to}
       queue.type="LinkedList" queue.filename="webvirt" queue.saveOnShutdown="on" queue.size="500" queue.highWatermark="200"
       queue.lowWatermark="50" action.resumeRetryCount="-1" action.resumeInterval="1")
`,
  );
  const child = spawn(RSYSLOGD, ['-n', '-f', join(dir, 'conf'), '-i', join(dir, 'pid')], { stdio: 'ignore' });
  children.push(child);
  await expect.poll(() => existsSync(socket)).toBe(true);
  return {
    async log(from: number, count: number): Promise<void> {
      const file = join(dir, `lines-${from}`);
      writeFileSync(file, Array.from({ length: count }, (_, i) => `seq ${from + i}\n`).join(''));
      await run('/usr/bin/logger', ['--socket', socket, '--tag', name, '--file', file]);
    },
  };
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.skipIf(!hasRsyslog)('rsyslog', () => {
  it.each([
    ['counted', 'PORT-TCP TCP_Framing="octet-counted"', ''],
    ['lines', 'PORT-TCP TCP_Framing="traditional"', ''],
    [
      'tls',
      'PORT-TLS TCP_Framing="octet-counted" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"',
      'DefaultNetstreamDriverCAFile="PATH"',
    ],
  ])(
    'keeps on its disk what the manager cannot take, and nothing is lost that TCP can keep: %s',
    async (name, to, global) => {
      if (name === 'tls' && !existsSync(join(MODULES, 'lmnsd_gtls.so'))) return;
      const sender = await startRsyslog({
        name,
        to: to.replace('PORT-TCP', `port="${ports.tcp}"`).replace('PORT-TLS', `port="${ports.tls}"`),
        global: global.replace('PATH', join(stack.dataDir, 'ca', 'ca.pem')),
      });
      await sender.log(0, 500);
      await expect.poll(async () => (await numbersOf(name)).length).toBe(500);
      // Stopped while it sends: what is on its way is taken.
      const sending = sender.log(500, 1_000);
      await stack.manager.end();
      await sending;
      await sender.log(1_500, 1_500);
      await stack.startManager();
      // Over TLS rsyslog does not look before it sends: what it writes before it notices is gone, a batch at most.
      const mayLose = name === 'tls' ? RSYSLOG_BATCH : 0;
      const isThere = async () => {
        const there = new Set(await numbersOf(name));
        return there.size >= 3_000 - mayLose && there.has(2_999);
      };
      await expect.poll(isThere).toBe(true);
      const numbers = await numbersOf(name);
      // Of what it sent before the manager went, nothing.
      expect([...new Set(numbers)].slice(0, 1_500)).toEqual(range(1_500));
      // After a failure rsyslog sends the message that it was at once more.
      expect(numbers.length).toBeLessThan(3_004);
    },
  );
});

describe.skipIf(!existsSync('/usr/bin/logger'))('logger(1)', () => {
  it.each([
    ['udp', ['--udp', '--rfc5424']],
    ['tcp', ['--tcp', '--octet-count', '--rfc5424']],
  ] as const)('over %s', async (way, args) => {
    const tag = `logger-${way}`;
    const to = ['--server', '127.0.0.1', '--port', String(ports[way]), '--tag', tag, '--priority', 'auth.crit'];
    await run('/usr/bin/logger', [...to, ...args, '--', 'seq 0']);
    await expect.poll(() => numbersOf(tag)).toEqual([0]);
    expect((await search(`unit:${tag}`))[0]).toMatchObject({ level: 'error', fields: { via: `syslog-${way}` } });
  });
});

describe('the SDK of OpenTelemetry', () => {
  it('sends gzip in batches, and says which credential is wrong', async () => {
    const send = async (token: string, body: string) => {
      const exporter = new OTLPLogExporter({
        url: `${stack.url}/v1/logs`,
        headers: { authorization: `Bearer ${token}` },
        compression: 'gzip' as never,
      });
      const processor = new BatchLogRecordProcessor({ exporter, exportTimeoutMillis: 3_000 });
      const provider = new LoggerProvider({ processors: [processor] });
      const log = provider.getLogger('shop');
      for (let i = 0; i < 700; i += 1)
        log.emit({ severityNumber: SeverityNumber.WARN, body: `${body} ${i}`, attributes: { 'order.id': i } });
      await provider.shutdown();
    };
    await send('wrong', 'never');
    // What came in is told to whoever looks at it.
    const told = untilBody<WayIn[]>(stack.socket(), '/api/v1/intake', (ways) =>
      ways.some(({ way, taken }) => way === 'otlp' && taken === 700),
    );
    await send(stack.token, 'otel');
    await told;
    await expect.poll(async () => (await search('via:otlp otel level:warn')).length).toBe(700);
    expect(await search('never')).toEqual([]);
    expect((await search('order.id:41 via:otlp'))[0]?.message).toBe('otel 41');
  });
});

describe('curl', () => {
  async function curl(path: string, type: string, body: string | Uint8Array, ...args: string[]) {
    const file = join(mkdtempSync(join(folder, 'curl-')), 'body');
    writeFileSync(file, body);
    const common = ['-sS', '-w', '\n%{http_code}', '-H', `Content-Type: ${type}`, '--data-binary', `@${file}`];
    const { stdout } = await run('curl', [...common, ...args, `${stack.url}${path}`]);
    const at = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(at + 1)), text: stdout.slice(0, at) };
  }
  const LOKI = '/loki/api/v1/push';
  const basic = () => ['-u', `any:${stack.token}`];
  const push = (...messages: unknown[]) =>
    JSON.stringify({
      streams: [
        { stream: { app: 'curl', level: 'warn' }, values: messages.map((one) => [`${Date.now()}000000`, one]) },
      ],
    });

  it('pushes as to Loki, plain and gzip, with a part that is bad', async () => {
    expect(await curl(LOKI, 'application/json', push('first'), ...basic())).toEqual({ status: 204, text: '' });
    const zipped = gzipSync(push('second'));
    expect((await curl(LOKI, 'application/json', zipped, ...basic(), '-H', 'Content-Encoding: gzip')).status).toBe(204);
    const mixed = await curl(LOKI, 'application/json', push('third', 7), ...basic());
    expect(mixed.status).toBe(400);
    expect(mixed.text).toMatch(/^1 entries were refused, 1 stored: entry 1: /);
    await expect
      .poll(async () => (await search('unit:curl')).map(({ message }) => message).sort())
      .toEqual(['first', 'second', 'third']);
  });

  it('is told what to send instead of what cannot be read', async () => {
    // As promtail sends: Protobuf in a snappy block.
    const snappy = Buffer.from([0x0c, 0x2c, 0x0a, 0x0a, 0x0a, 0x08, 0x7b, 0x61, 0x3d, 0x22, 0x62, 0x22, 0x7d, 0x00]);
    const loki = await curl(LOKI, 'application/x-protobuf', snappy, ...basic());
    expect(loki).toEqual({ status: 415, text: expect.stringMatching(/JSON, not as Protobuf with snappy.*Alloy/) });
    const bearer = ['-H', `Authorization: Bearer ${stack.token}`];
    const otlp = await curl('/v1/logs', 'application/x-protobuf', snappy, ...bearer);
    expect(otlp).toEqual({ status: 415, text: expect.stringMatching(/http\/json/) });
    const zstd = await curl('/api/v1/logs', 'application/json', '[]', ...bearer, '-H', 'Content-Encoding: zstd');
    expect(zstd).toEqual({ status: 415, text: expect.stringMatching(/gzip or without compression/) });
    const cut = await curl(
      '/api/v1/logs',
      'application/json',
      gzipSync('[]').subarray(0, 9),
      ...bearer,
      '-H',
      'Content-Encoding: gzip',
    );
    expect(cut).toEqual({ status: 400, text: expect.stringMatching(/not valid gzip/) });
  });

  it('is refused with a wrong token on every way, and told so', async () => {
    for (const path of [LOKI, '/v1/logs', '/api/v1/logs'])
      for (const sign of [[], ['-H', 'Authorization: Bearer nonsense']]) {
        const { status, text } = await curl(path, 'application/json', '[]', ...sign);
        expect({ path, status, text }).toEqual({ path, status: 401, text: expect.stringMatching(/sign|token/i) });
      }
  });
});
