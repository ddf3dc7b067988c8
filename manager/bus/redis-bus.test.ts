import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, REDIS_NOTE, startRedis, type TestRedis } from '../../logging/redis.testing.ts';
import { tail } from '../../test/support/live.ts';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList } from '../http/host-names.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { startWorld } from '../live/testing.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import { createRedisBus, type RedisBusConfig } from './redis-bus.ts';

let redis: TestRedis;
let prefixes = 0;
let prefix = '';
const undo: (() => unknown)[] = [];

/** A manager as far as lines are concerned: store, bus, live sockets, and the bus to the others. */
async function manager(id: string, config: Partial<RedisBusConfig> = {}) {
  const world = await startWorld({
    batches: { columnsOf, lineAt },
    http: { routes: [], ...{ callRoute, readQuery, canonicalPath } },
    guard: { mustBeAllowed, isHostAllowed: hostAllowList([], 'm'), isOriginAllowed: isSocketOriginAllowed },
  });
  const said: string[] = [];
  const joined = createRedisBus(
    {
      ...{ url: redis.url, prefix, managerId: id, name: id, version: '1', limitChars: 1_000_000, keepEntries: 10_000 },
      ...config,
    },
    { bus: world.bus, log: { info: (text) => said.push(text), warn: (text) => said.push(text) } },
  );
  joined.start();
  undo.push(async () => {
    await joined.stop();
    await world.stop();
    expect(world.faults).toEqual([]);
  });
  return { ...world, joined, said };
}
type Manager = Awaited<ReturnType<typeof manager>>;

async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5));
}
async function pair(config: Partial<RedisBusConfig> = {}): Promise<[Manager, Manager]> {
  const both: [Manager, Manager] = [await manager('a', config), await manager('b', config)];
  await until(() => both.every(({ joined }) => joined.peers().length === 1));
  return both;
}
const say = (on: Manager, from: number, count: number, host = 'h1') =>
  on.lines.commit(
    Array.from({ length: count }, (_, i) => ({ message: `${host} ${from + i}` })),
    host,
  );
const numbered = (host: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${host} ${from + i}`);

describe.skipIf(!hasRedis)(`managers joined over Redis, ${REDIS_NOTE}`, () => {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  async function viewed(on: Manager, filter: Parameters<typeof tail>[1] = {}) {
    const seen = tail(await on.connect(), filter);
    await seen.started;
    return seen;
  }
  const fresh = () => {
    prefixes += 1;
    prefix = `t${prefixes}`;
  };

  it('shows lines of one to the viewers of the other: live, in order for each agent, once, and filtered', async () => {
    fresh();
    const [a, b] = await pair();
    const [onA, onB, onlyH2] = [await viewed(a), await viewed(b, { backlog: 10 }), await viewed(b, { host: 'h2' })];
    for (let i = 0; i < 200; i += 2) {
      say(a, i, 2, 'h1');
      say(i % 4 === 0 ? a : b, i, 2, i % 4 === 0 ? 'h2' : 'h3');
    }
    await onA.until((lines) => lines.length === 400);
    const lines = await onB.until((all) => all.length === 400);
    const of = (host: string) => lines.filter((line) => line.host === host).map((line) => line.message);
    expect(of('h1')).toEqual(numbered('h1', 0, 200));
    expect(new Set(lines.map(({ id }) => id)).size).toBe(400);
    expect((await onlyH2.until((all) => all.length === 100)).every((line) => line.host === 'h2')).toBe(true);
    expect(onB.skipped() + onA.skipped()).toBe(0);
    expect(b.lines.stored.every((line) => line.host === 'h3')).toBe(true);
    expect(b.joined.numbers()).toMatchObject({ peers: 1, away: 0, receivedLines: 300, missedLines: 0 });
  });

  it('tells hints once, and not back', async () => {
    fresh();
    const [a, b] = await pair();
    const heard: string[] = [];
    for (const [name, on] of Object.entries({ a, b })) on.bus.on('instance', ({ id }) => heard.push(`${name} ${id}`));
    // What a listener tells in answer stays inside.
    b.bus.on('instance', ({ id }) => b.bus.emit('job', { id }));
    a.bus.on('job', ({ id }) => heard.push(`back ${id}`));
    a.bus.emit('instance', { id: 'i1', host: 'h' });
    await until(() => heard.length === 2);
    b.bus.emit('instance', { id: 'i2', host: 'h' });
    await until(() => heard.includes('back i2'));
    expect(heard).toEqual(['a i1', 'b i1', 'b i2', 'a i2', 'back i2']);
  });

  it('sees others come, go and begin anew', async () => {
    fresh();
    const a = await manager('a');
    const b = await manager('b');
    await until(() => a.joined.peers().length === 1);
    const onA = await viewed(a);
    say(b, 0, 1);
    await onA.until((lines) => lines.length === 1);
    await b.joined.stop();
    await until(() => a.joined.peers().length === 0);
    const again = await manager('b');
    say(again, 1, 1, 'h2');
    expect((await onA.until((lines) => lines.length === 2)).map(({ message }) => message)).toEqual(['h1 0', 'h2 1']);
    expect(a.joined.numbers()).toMatchObject({ missedLines: 0, receivedLines: 2 });
  });

  it('one that hangs delays nobody; everything is there once when it goes on', async () => {
    fresh();
    const [a, b] = await pair();
    const [onA, onB] = [await viewed(a), await viewed(b)];
    say(a, 0, 10);
    await onB.until((lines) => lines.length === 10);
    redis.stall();
    for (let i = 10; i < 500; i += 10) say(a, i, 10);
    await onA.until((lines) => lines.length === 500);
    await until(() => a.said.some((text) => /cannot be told/.test(text)));
    expect(onB.lines.length).toBe(10);
    redis.goOn();
    expect((await onB.until((lines) => lines.length >= 500)).map(({ message }) => message)).toEqual(
      numbered('h1', 0, 500),
    );
    await until(() => a.said.some((text) => /told again/.test(text)));
    expect(onB.skipped()).toBe(0);
  });

  it('killed and empty again: they find each other, and what was given up meanwhile is a break', async () => {
    fresh();
    const [a, b] = await pair({ limitChars: 20_000 });
    const [onA, onB] = [await viewed(a), await viewed(b)];
    say(a, 0, 10);
    await onB.until((lines) => lines.length === 10);
    await redis.kill();
    for (let i = 10; i < 2_000; i += 10) say(a, i, 10);
    await onA.until((lines) => lines.length === 2_000);
    expect(a.joined.numbers().droppedLines).toBeGreaterThan(0);
    expect(a.joined.numbers().waitingChars).toBeLessThan(25_000);
    await redis.start();
    const lines = await onB.until((all) => all.at(-1)?.message === 'h1 1999');
    expect(onB.skipped()).toBe(2_000 - lines.length);
    expect(onB.skipped()).toBe(a.joined.numbers().droppedLines);
    expect(lines.map(({ message }) => message)).toEqual([...new Set(lines.map(({ message }) => message))]);
    await until(() => [a, b].every(({ joined }) => joined.peers().length === 1));
    say(b, 0, 1, 'h9');
    expect((await onA.until((all) => all.at(-1)?.host === 'h9')).length).toBe(2_001);
    expect(onA.skipped()).toBe(0);
  });

  it('a reader that was away longer than the stream reaches back is told how many it missed', async () => {
    fresh();
    const [a, b] = await pair({ keepEntries: 100 });
    const onB = await viewed(b);
    say(a, 0, 1);
    await onB.until((lines) => lines.length === 1);
    const [stream] = await redis.client().keys(`${prefix}:bus:a:*`);
    // As if an outage of the reader alone had lasted until the stream was cut.
    const one = (await redis.client().xrevrange(stream!, '+', '-', 'COUNT', 1)) as [string, string[]][];
    const text = one[0]![1][3]!;
    await redis.client().xadd(stream!, '0-500', 'n', '500', 'd', text);
    await onB.until((lines) => lines.length === 2);
    await until(() => onB.skipped() === 498);
    expect(b.joined.numbers().missedLines).toBe(498);
  });

  it('an entry that nobody can read harms nothing; another version is not heard and is named', async () => {
    fresh();
    const [a, b] = await pair();
    const onB = await viewed(b);
    const client = redis.client();
    await client.sadd(`${prefix}:managers`, 'c');
    const other = { id: 'c', name: 'newer', run: 'r', version: '9', wire: 99, startedMs: 1 };
    await client.set(`${prefix}:manager:c`, JSON.stringify(other), 'PX', 60_000);
    await client.xadd(`${prefix}:bus-hello`, '*', 'id', 'c');
    await until(() => b.said.some((text) => /another version/.test(text)));
    const [stream] = await client.keys(`${prefix}:bus:a:*`);
    expect(stream).toBe(undefined);
    say(a, 0, 1);
    await onB.until((lines) => lines.length === 1);
    const [there] = await client.keys(`${prefix}:bus:a:*`);
    await client.xadd(there!, '0-2', 'n', '1', 'd', '{"batches":[{"columns":7}]}');
    await until(() => b.said.some((text) => /cannot be read/.test(text)));
    await client.xadd(`${prefix}:bus:c:r`, '0-1', 'n', '1', 'd', '{}');
    expect(b.joined.numbers().missedLines).toBe(0);
    expect(
      b.joined
        .peers()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['a', 'newer']);
  });
});
