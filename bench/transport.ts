import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { io as connect } from 'socket.io-client';
import winston from 'winston';
import { createLogger } from '../logging/logger.ts';
import { hasRedis, startRedis } from '../logging/redis.testing.ts';
import { RedisTransport } from '../logging/redis-transport.ts';
import { SocketTransport } from '../logging/socket-transport.ts';
import { createSpool } from '../logging/spool/spool.ts';
import { runBench } from './support/bench.ts';
import { plainRow, quantile } from './support/stats.ts';
import type { Row } from './support/table.ts';

/**
 * How many calls of winston a second its transports take, from the first call until the last line is where it belongs:
 * on disk and synced, in Redis, in the hands of the viewers' connections. Beside each, in the same round, winston's own
 * stream to /dev/null.
 */
const CALLS = Number(process.env['BENCH_CALLS'] ?? 60_000);
const ROUNDS = 5;
/** Calls of one turn of the event loop: a busy program, which still lets its connections be served. */
const PER_TURN = 200;

interface Road {
  log: winston.Logger;
  /** Resolves when everything is where it belongs. */
  settled(): Promise<unknown>;
}

async function rate({ log, settled }: Road): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < CALLS; i += PER_TURN) {
    for (let k = i; k < i + PER_TURN; k += 1)
      log.info('the request was answered', { method: 'GET', path: `/api/v1/things/${k}`, status: 200, tookMs: k % 97 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await settled();
  return CALLS / ((performance.now() - started) / 1_000);
}

const dir = mkdtempSync(join(tmpdir(), 'webvirt-bench-'));

function toDevNull(): Road {
  const stream = createWriteStream('/dev/null');
  const log = winston.createLogger({ transports: [new winston.transports.Stream({ stream })] });
  return { log, settled: () => new Promise((resolve) => stream.write('', resolve)) };
}

function toSpool(later: (undo: () => unknown) => void): Road {
  const spool = createSpool({ path: join(dir, 'spool.sqlite'), capBytes: 2 ** 30, now: Date.now });
  later(() => spool.close());
  const sink = { add: (line: Parameters<typeof spool.append>[0]) => spool.append(line) };
  const log = createLogger({ program: 'agent', level: 'info', stderr: false, sinks: [sink] });
  return {
    log,
    settled: async () => {
      spool.flush();
      // As if the manager had taken all of it, so that every round begins with an empty spool.
      for (const { epoch, next } of spool.epochs()) {
        const last = spool.read({ epoch, from: Math.max(0, next - 1) }, 1).at(-1);
        if (last !== undefined) spool.acked(epoch, next, last.header.hash);
      }
    },
  };
}

async function toRedis(later: (undo: () => unknown) => void): Promise<Road> {
  const redis = await startRedis();
  later(redis.stop);
  const transport = new RedisTransport({ url: redis.url, queueLines: CALLS * 2, queueChars: 2 ** 30 });
  later(() => transport.close());
  return {
    log: winston.createLogger({ transports: [transport] }),
    async settled() {
      if (!(await transport.flush(60_000)) || transport.stats().dropped > 0) throw new Error('Redis did not take all');
    },
  };
}

async function toSockets(viewers: number, later: (undo: () => unknown) => void): Promise<Road> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const transport = new SocketTransport({ server, viewerLines: CALLS });
  later(() => {
    transport.close();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/logs`;
  for (let i = 0; i < viewers; i += 1) {
    const socket = connect(url, { transports: ['websocket'], forceNew: true });
    later(() => socket.disconnect());
    await new Promise<void>((resolve) => void socket.once('connect', resolve));
  }
  return {
    log: winston.createLogger({ transports: [transport] }),
    settled: async () => transport.flush(),
  };
}

await runBench(`Calls of winston, ${CALLS.toLocaleString('en')} in each round`, async (later) => {
  later(() => rmSync(dir, { recursive: true, force: true }));
  const roads: [name: string, road: Road][] = [
    ['durable spool', toSpool(later)],
    ...(hasRedis ? ([['Redis', await toRedis(later)]] as [string, Road][]) : []),
    ['sockets, nobody looks', await toSockets(0, later)],
    ['sockets, one viewer in this process', await toSockets(1, later)],
  ];
  const nowhere = toDevNull();
  await rate(nowhere);
  for (const [, road] of roads) await rate(road);
  const base: number[] = [];
  const found = new Map<string, { rates: number[]; ratios: number[] }>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, road] of roads) {
      // The yardstick right before each: this machine is not equally fast at all times.
      const yardstick = await rate(nowhere);
      const mine = await rate(road);
      base.push(yardstick);
      const seen = found.get(name) ?? { rates: [], ratios: [] };
      found.set(name, { rates: [...seen.rates, mine], ratios: [...seen.ratios, mine / yardstick] });
    }
  }
  const rows: Row[] = [plainRow('winston to /dev/null', quantile(base, 0.5), 'calls/s')];
  for (const [name, { rates, ratios }] of found) {
    const ratio = Math.round(quantile(ratios, 0.5) * 100) / 100;
    rows.push(plainRow(`${name}`, quantile(rates, 0.5), 'calls/s'));
    const isPromise = name === 'durable spool';
    rows.push({
      name: `${name} / dev/null`,
      value: ratio,
      unit: '',
      goal: isPromise ? '>= 0.5' : null,
      ok: isPromise ? ratio >= 0.5 : null,
    });
  }
  if (!hasRedis) rows.push({ name: 'Redis: skipped: no Redis', value: 0, unit: '', goal: null, ok: null });
  return rows;
});
