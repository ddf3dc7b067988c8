import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import winston from 'winston';
import { hasRedis, REDIS_NOTE, startRedis, type TestRedis } from './redis.testing.ts';
import { RedisTransport, type RedisTransportOptions } from './redis-transport.ts';
import { transportContract } from './transport-contract.testing.ts';

let redis: TestRedis;
let nextPrefix = 0;
const ended: (() => void)[] = [];

function open(options: RedisTransportOptions = {}) {
  nextPrefix += 1;
  const prefix = `t${nextPrefix}`;
  const transport = new RedisTransport({ url: redis.url, prefix, ...options });
  const warned: string[] = [];
  transport.on('warn', (error: Error) => warned.push(error.message));
  const log = winston.createLogger({ level: 'silly', transports: [transport] });
  ended.push(() => transport.close());
  return { transport, log, warned, prefix };
}

describe.skipIf(!hasRedis)(`RedisTransport, ${REDIS_NOTE}`, () => {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(() => {
    for (const end of ended.splice(0)) end();
  });
  afterAll(() => redis?.stop());

  transportContract('RedisTransport', async (options) => {
    nextPrefix += 1;
    const prefix = `t${nextPrefix}`;
    // Ids of two levels say nothing about which call was first.
    let calls = 0;
    const transport = new RedisTransport({ url: redis.url, prefix, ...options, now: () => ++calls });
    const look = redis.client();
    return {
      transport,
      async arrived(count) {
        for (;;) {
          await transport.flush();
          const keys = (await look.keys(`${prefix}:*`)).filter((key) => !key.includes(':writer:'));
          const streams = await Promise.all(keys.map((key) => look.xrange(key, '-', '+')));
          const found = streams.flat().map(([, values]) => JSON.parse(values[1]!));
          if (found.length >= count) return found.sort((a, b) => a.tsMs - b.tsMs);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
      async stop() {
        transport.close();
      },
    };
  });

  test('pages of one level, newest first, by number and by cursor, with the total', async () => {
    const { transport, log } = open();
    for (let i = 0; i < 25; i++) log.info(`line ${i}`, { even: i % 2 === 0 });
    log.error('another level');
    await transport.flush();
    const first = await transport.query({ rows: 10 });
    expect(first.rows.map((row) => row.message)).toEqual(Array.from({ length: 10 }, (_, i) => `line ${24 - i}`));
    expect(first).toMatchObject({ total: 25, complete: true });
    const second = await transport.query({ rows: 10, start: first.next! });
    expect(second.rows[0]?.message).toBe('line 14');
    expect(await transport.query({ rows: 10, start: 10 })).toEqual(second);
    const last = await transport.query({ rows: 10, start: second.next! });
    expect([last.rows.length, last.next, last.total]).toEqual([5, null, 25]);
    expect((await transport.query({ level: 'error' })).rows.map((row) => row.message)).toEqual(['another level']);
    expect(await transport.query({ level: 'none' })).toEqual({ rows: [], next: null, total: 0, complete: true });
    expect((await transport.query({ start: 30 })).rows).toEqual([]);
  });

  test('a filter of the q language, paged; a wrong one is refused', async () => {
    const { transport, log } = open();
    for (let i = 0; i < 2_500; i++) log.info(i % 5 === 0 ? `disk ${i} is slow` : `line ${i}`, { i });
    await transport.flush();
    const first = await transport.query({ q: 'disk slow', rows: 300 });
    expect([first.total, first.rows.length, first.rows[0]?.message]).toEqual([500, 300, 'disk 2495 is slow']);
    const second = await transport.query({ q: 'disk slow', rows: 300, start: first.next! });
    expect([second.rows.length, second.next, second.total]).toEqual([200, null, 500]);
    expect(await transport.query({ q: 'disk slow', rows: 300, start: 300 })).toEqual(second);
    expect((await transport.query({ q: 'i:7' })).rows.map((row) => row.message)).toEqual(['line 7']);
    await expect(transport.query({ q: '/(/' })).rejects.toMatchObject({ code: 'bad-query' });
    await expect(transport.query({ rows: 0 })).rejects.toMatchObject({ code: 'bad-request' });
    await expect(transport.query({ start: 'x' })).rejects.toMatchObject({ code: 'bad-request' });
  });

  test('each level keeps about its newest lines', async () => {
    const { transport, log } = open({ maxLines: 500 });
    for (let i = 0; i < 5_000; i++) log.info(`line ${i}`);
    await transport.flush();
    const { total, rows } = await transport.query({ rows: 1 });
    expect(total).toBeGreaterThanOrEqual(500);
    expect(total).toBeLessThan(700);
    expect(rows[0]?.message).toBe('line 4999');
  });

  test("winston's own query and stream", async () => {
    const { transport, log } = open();
    const heard: string[] = [];
    const stream = log.stream({ start: -1 }) as unknown as NodeJS.EventEmitter & { destroy(): void };
    ended.push(() => stream.destroy());
    log.info('one', { n: 1 });
    log.warn('two');
    await transport.flush();
    const found = await new Promise<Record<string, { message: string }[]>>((resolve, reject) =>
      log.query({ order: 'asc' } as never, (error, results) => (error ? reject(error) : resolve(results))),
    ).catch(() => null);
    expect(found?.['redis']?.map((line) => line.message).sort()).toEqual(['one', 'two']);
    const both = new Promise<void>((resolve) =>
      stream.on('log', ({ message }: { message: string }) => {
        heard.push(message);
        if (message === 'end') resolve();
      }),
    );
    // Until the follower has its place, what is said may be before it.
    const speak = setInterval(() => log.info('end'), 20);
    await both;
    clearInterval(speak);
    expect(heard.at(-1)).toBe('end');
  });

  test('a key of another kind costs the lines of that level only, and is told', async () => {
    const { transport, log, warned, prefix } = open();
    await redis.client().set(`${prefix}:warn`, 'something else');
    log.warn('lost');
    log.info('kept');
    await transport.flush();
    expect((await transport.query({})).rows.map((row) => row.message)).toEqual(['kept']);
    expect(warned).toEqual([expect.stringMatching(/level warn was refused: .*WRONGTYPE/)]);
  });
});

describe.skipIf(!hasRedis)(`RedisTransport while Redis is away, ${REDIS_NOTE}`, () => {
  afterEach(() => {
    for (const end of ended.splice(0)) end();
  });

  test('what fits waits, the oldest beyond it are counted and told when it is back', async () => {
    redis = await startRedis();
    try {
      const { transport, log, warned } = open({ queueLines: 100 });
      log.info('first');
      await transport.flush();
      await redis.kill();
      const away = once(transport, 'warn');
      for (let i = 0; i < 300; i++) log.info(`line ${i}`);
      await away;
      for (let i = 300; i < 1_000; i++) log.info(`line ${i}`);
      await redis.start();
      expect(await transport.flush(10_000)).toBe(true);
      const { rows } = await transport.query({ rows: 1_000 });
      const told = rows.flatMap((row) => (row.fields?.['dropped'] as number | undefined) ?? []);
      const kept = rows.filter((row) => row.message.startsWith('line '));
      expect(kept[0]?.message).toBe('line 999');
      expect(told.reduce((a, b) => a + b, 0) + kept.length).toBe(1_000);
      expect(told.reduce((a, b) => a + b, 0)).toBe(transport.stats().dropped);
      expect(new Set(kept.map((row) => row.message)).size).toBe(kept.length);
      expect(warned).toHaveLength(1);
    } finally {
      await redis.stop();
    }
  });

  test('one that hangs holds up nobody; every line is there once when it goes on', async () => {
    redis = await startRedis();
    try {
      const { transport, log } = open({ commandLimitMs: 200 });
      log.info('line 0');
      await transport.flush();
      redis.stall();
      const away = once(transport, 'warn');
      for (let i = 1; i < 50; i++) log.info(`line ${i}`);
      await away;
      log.info('line 50');
      redis.goOn();
      expect(await transport.flush(10_000)).toBe(true);
      const { rows } = await transport.query({ rows: 1_000 });
      expect(rows.map((row) => row.message)).toEqual(Array.from({ length: 51 }, (_, i) => `line ${50 - i}`));
    } finally {
      await redis.stop();
    }
  });

  test('without any Redis a program logs, ends in time and hears why', async () => {
    redis = { url: 'redis://127.0.0.1:1' } as TestRedis;
    const { transport, log, warned } = open({ flushLimitMs: 100 });
    log.info('nobody hears');
    const finished = once(transport, 'finish');
    log.end();
    await finished;
    expect(warned[0]).toMatch(/ECONNREFUSED/);
    expect(warned[1]).toMatch(/did not reach Redis/);
    await expect(transport.query({})).rejects.toThrow();
  });
});
