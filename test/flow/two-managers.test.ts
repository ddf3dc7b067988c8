import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Line } from '../../common/model/line.ts';
import type { RuleEvent } from '../../common/model/rule.ts';
import type { KeepMark, SavedSearch } from '../../common/model/search.ts';
import { hasRedis, startRedis, type TestRedis } from '../../logging/redis.testing.ts';
import type { Watch } from '../../manager/alerts/window.ts';
import { type CassandraNode, cassandraMissing, freePort, startCassandra } from '../support/cassandra.ts';
import { type FaultyRoad, startFaultyRoad } from '../support/faulty-road.ts';
import { tail, untilBody } from '../support/live.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Two managers in processes of their own, joined by a real Redis, with a real Cassandra below both.

const missing = hasRedis ? await cassandraMissing() : 'no Redis';
vi.setConfig({ hookTimeout: 240_000 });

describe.skipIf(missing !== null)('two managers on one Redis and one Cassandra', () => {
  let dir: string;
  let node: CassandraNode;
  let redis: TestRedis;
  /** Of each manager to Redis. */
  const roads: Record<string, FaultyRoad> = {};
  let a: Stack;
  let b: Stack;
  let hook: Server;
  /** Groups of which somebody was told. */
  const told: string[] = [];
  const managerOf = (name: string) =>
    startStack({
      manager: {
        ...{ WEBVIRT_REDIS_URL: `redis://127.0.0.1:${roads[name]!.port}`, WEBVIRT_REDIS_NAME: name },
        WEBVIRT_STORE_ENGINE: 'cassandra',
        WEBVIRT_STORE_CASSANDRA_CONTACT_POINTS: `127.0.0.1:${node.port}`,
        ...{ WEBVIRT_STORE_CASSANDRA_REPLICATION: '1', WEBVIRT_ALERTS_ALLOW: '127.0.0.0/8' },
      },
    });
  const say = async (on: Stack, ...lines: { message: string; fields?: Record<string, unknown> }[]) => {
    const { status } = await on.api(
      'POST',
      '/api/v1/logs',
      lines.map((line) => ({ level: 'warn', ...line })),
    );
    expect(status).toBeLessThan(300);
  };
  const bus = async (on: Stack, part: string): Promise<number> => {
    const answer = await fetch(`${on.url}/metrics`, { headers: { authorization: `Bearer ${on.token}` } });
    return Number(new RegExp(`^webvirt_bus\\{part="${part}"\\} (\\d+)`, 'm').exec(await answer.text())?.[1]);
  };
  const until = async (test: () => Promise<boolean>) => {
    while (!(await test())) await sleep(50);
  };
  const make = async <T>(on: Stack, path: string, body: unknown): Promise<T> => {
    const { body: answer } = await on.api<T>('POST', path, body);
    if (answer.err !== null) throw new Error(`${path}: ${answer.err} ${answer.message}`);
    return answer.data;
  };
  const broken = (on: Stack, disk: string, count: number) =>
    say(on, ...Array.from({ length: count }, (_, i) => ({ message: `broken ${i}`, fields: { disk } })));
  const events = (on: Stack, rule: string) => on.get<RuleEvent[]>(`/api/v1/rules/events?rule=${rule}`);
  /** Lines that a rule has counted for a group, as this manager keeps it. */
  const countedBy = (on: Stack, rule: string, group: string): number => {
    const state = new Database(join(on.dataDir, 'webvirt.sqlite'), { readonly: true });
    try {
      const rows = state.prepare('SELECT doc FROM rule_watches WHERE rule = ?').pluck().all(rule) as string[];
      const watch = rows.map((doc) => JSON.parse(doc) as Watch).find((one) => one.group === group);
      return watch?.n.reduce((sum, count) => sum + count, 0) ?? 0;
    } finally {
      state.close();
    }
  };
  const found = async (on: Stack, q: string) =>
    (await on.get<{ lines: Line[] }>(`/api/v1/logs?q=${encodeURIComponent(q)}`)).lines
      .map(({ message }) => message)
      .sort();

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'webvirt-two-'));
    [node, redis] = await Promise.all([
      freePort().then((port) => startCassandra({ dir, port, sync: 'batch' })),
      startRedis(),
    ]);
    hook = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const { group, events: all } = JSON.parse(text) as { group: string; events: { group: string }[] };
        told.push(...(all.length === 0 ? [group] : all.map((one) => one.group)));
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(hook, 'listening');
    for (const name of ['a', 'b']) roads[name] = await startFaultyRoad({ port: redis.port });
    // The first makes the tables.
    a = await managerOf('a');
    await until(async () => (await fetch(`${a.url}/readyz`)).status === 200);
    b = await managerOf('b');
    await until(async () => (await fetch(`${b.url}/readyz`)).status === 200);
    await until(async () => (await bus(a, 'peers')) === 1 && (await bus(b, 'peers')) === 1);
  });
  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
    hook?.close();
    for (const road of Object.values(roads)) await road.stop();
    await Promise.all([redis?.stop(), node?.kill()]);
    rmSync(dir, { recursive: true, force: true });
  });

  test('a line that one takes is seen live by a viewer of the other, once, and is found at both', async () => {
    const seen = tail(b.socket(), { q: 'crossing', backlog: 5 });
    await seen.started;
    await say(a, { message: 'crossing 1' }, { message: 'crossing 2' });
    await say(b, { message: 'crossing 3' });
    const lines = await seen.until((all) => all.length === 3);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(3);
    for (const on of [a, b]) expect(await found(on, 'crossing')).toEqual(['crossing 1', 'crossing 2', 'crossing 3']);
  });

  test('what is saved, marked and made at one is at the other, and whoever looks there sees it come and go', async () => {
    const socket = b.socket();
    const search = await make<SavedSearch>(a, '/api/v1/searches', { name: 'full', shared: true, query: { q: 'disk' } });
    const at = await untilBody<SavedSearch[]>(socket, '/api/v1/searches', (list) => list.length === 1);
    expect(at).toEqual([search]);
    const gone = untilBody<SavedSearch[]>(socket, '/api/v1/searches', (list) => list.length === 0);
    expect((await b.api('DELETE', `/api/v1/searches/${search.id}`)).status).toBe(200);
    await gone;
    await until(async () => (await a.get<SavedSearch[]>('/api/v1/searches')).length === 0);
    const mark = await make<KeepMark>(b, '/api/v1/logs/keeps', {
      fromMs: Date.now() - 1_000,
      toMs: Date.now(),
      note: 'x',
    });
    await untilBody<KeepMark[]>(a.socket(), '/api/v1/logs/keeps', (list) => list.some(({ id }) => id === mark.id));
    // The numbers of the lines that the other takes: the ledger of one shows all.
    const agents = async (on: Stack) => (await on.get<{ epoch: string }[]>('/api/v1/ledger')).map(({ epoch }) => epoch);
    const socketOfA = a.socket();
    const shown = untilBody<{ epoch: string }[]>(socketOfA, '/api/v1/ledger', (list) => list.length >= 2);
    await say(b, { message: 'for the ledger' });
    await shown;
    expect((await agents(a)).sort()).toEqual((await agents(b)).sort());
  });

  test('a rule counts the lines of both, fires once, and goes on once when the manager that looked after it is killed', async () => {
    await until(async () => (await bus(a, 'leads')) + (await bus(b, 'leads')) === 1);
    const [leader, other] = (await bus(a, 'leads')) === 1 ? [a, b] : [b, a];
    const { port } = hook.address() as { port: number };
    const destination = await make<{ id: string }>(other, '/api/v1/destinations', {
      ...{ kind: 'webhook', name: 'hook', url: `http://127.0.0.1:${port}/`, template: '', together: false },
    });
    const rule = await make<{ id: string }>(other, '/api/v1/rules', {
      ...{ name: 'both', query: { q: 'broken' }, condition: { kind: 'lines', count: 4, withinMs: 60_000 } },
      ...{ groupBy: 'disk', destinations: [destination.id], severity: 'critical' },
    });
    await until(async () => (await leader.get<{ id: string }[]>('/api/v1/rules')).some(({ id }) => id === rule.id));
    await broken(a, 'one', 2);
    await broken(b, 'one', 2);
    for (const on of [a, b]) {
      await until(async () => (await events(on, rule.id)).length > 0);
      await untilBody<{ id: string; state: string }[]>(on.socket(), '/api/v1/rules', (list) =>
        list.some(({ id, state }) => id === rule.id && state === 'firing'),
      );
    }
    const fired = await events(leader, rule.id);
    expect(fired).toMatchObject([{ what: 'fired', group: 'one', count: 4 }]);
    expect(await events(other, rule.id)).toEqual(fired);
    await until(async () => told.length > 0);
    // Three of four are there when the leader dies; the last one comes while nobody looks.
    await broken(leader, 'two', 2);
    await broken(other, 'two', 1);
    await until(async () => (await found(other, 'disk:two')).length === 3);
    // What the leader counted is what the other one goes on with.
    await until(async () => countedBy(other, rule.id, 'two') === 3);
    await leader.manager.end('SIGKILL');
    await broken(other, 'two', 1);
    await broken(other, 'one', 1);
    await until(async () => (await bus(other, 'leads')) === 1);
    await until(async () => (await events(other, rule.id)).some(({ group }) => group === 'two'));
    await until(async () => told.length > 1);
    expect((await events(other, rule.id)).map(({ what, group }) => [what, group])).toEqual([
      ['fired', 'two'],
      ['fired', 'one'],
    ]);
    await leader.startManager();
    await until(async () => (await bus(leader, 'peers')) === 1);
    // It hears what happened while it was away, and tells nothing itself.
    await until(async () => (await events(leader, rule.id)).length === 2);
    await broken(leader, 'three', 2);
    await broken(other, 'three', 2);
    await until(async () => (await events(leader, rule.id)).length === 3);
    await until(async () => told.length >= 3);
    expect(told).toEqual(['one', 'two', 'three']);
    expect(await bus(leader, 'leads')).toBe(0);
  });

  test('a leader that is cut off from Redis alone goes on, and nobody else: people are told once', async () => {
    const [leader, other, road] = (await bus(a, 'leads')) === 1 ? [a, b, roads['a']!] : [b, a, roads['b']!];
    road.set({ held: 'both' });
    await say(leader, { message: 'cut off' });
    // Longer than the lease in Redis outlives its owner.
    await until(async () => (await bus(other, 'peers')) === 0);
    await broken(other, 'cut', 4);
    await until(async () => told.includes('cut'));
    expect([await bus(leader, 'leads'), await bus(other, 'leads')]).toEqual([1, 0]);
    road.set({});
    await until(async () => (await bus(leader, 'away')) === 0 && (await bus(other, 'peers')) === 1);
    await broken(other, 'back', 4);
    await until(async () => told.includes('back'));
    expect(told.filter((group) => ['cut', 'back'].includes(group))).toEqual(['cut', 'back']);
  });

  test('Redis goes and comes back: it is counted, a viewer that comes again misses nothing, and all is stored', async () => {
    const socket = b.socket();
    const seen = tail(socket, { q: 'outage', backlog: 10 });
    await seen.started;
    await say(a, { message: 'outage 0' });
    await seen.until((lines) => lines.length === 1);
    await redis.kill();
    await say(a, { message: 'outage 1' }, { message: 'outage 2' });
    await until(async () => (await bus(a, 'away')) === 1);
    // The other one's viewer is not told live. It comes again, behind its place, and the store has what it missed.
    const again = tail(b.socket(), { q: 'outage', after: seen.position() });
    await again.started;
    expect((await again.until((lines) => lines.length === 2)).map(({ message }) => message)).toEqual([
      'outage 1',
      'outage 2',
    ]);
    await redis.start();
    await until(async () => (await bus(a, 'away')) === 0 && (await bus(b, 'peers')) === 1);
    await say(a, { message: 'outage 3' });
    await again.until((lines) => lines.length === 3);
    // Whoever stayed was told late, or how many lines it missed at most.
    const stayed = await seen.until((lines) => lines.length === 4 || seen.skipped() > 0);
    expect(stayed.length + seen.skipped()).toBeGreaterThanOrEqual(4);
    expect(again.lines.map(({ message }) => message)).toEqual(['outage 1', 'outage 2', 'outage 3']);
    for (const on of [a, b])
      expect(await found(on, 'outage')).toEqual(['outage 0', 'outage 1', 'outage 2', 'outage 3']);
  });
});

if (missing !== null) test.skip(`skipped: ${missing}`, () => undefined);
