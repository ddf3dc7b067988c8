import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import cassandra from 'cassandra-driver';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CassandraNode, cassandraMissing, freePort, startCassandra } from '../../../test/support/cassandra.ts';
import { batchOf, EPOCH, NOW, numbered, OTHER_EPOCH } from '../batch-of.testing.ts';
import { laneOf } from './layout.ts';
import { type CassandraLines, openCassandraLines } from './open.ts';
import type { CassandraOptions } from './options.ts';
import { TABLES, tableName } from './schema.ts';

const HOUR_MS = 3_600_000;
const missing = await cassandraMissing();
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

describe.skipIf(missing !== null)('cassandra that several managers share', () => {
  let dir: string;
  let node: CassandraNode;
  let client: cassandra.Client;
  const opened: CassandraLines[] = [];
  let nowMs = NOW;
  const open = async (manager: string, over: Partial<CassandraOptions> = {}) => {
    const store = await openCassandraLines({
      contactPoints: [`127.0.0.1:${node.port}`],
      ...{ localDataCenter: 'datacenter1', keyspace: 'webvirt', replication: '1', manager },
      keepMs: { error: 24 * HOUR_MS, warn: 24 * HOUR_MS, info: 24 * HOUR_MS, debug: 2 * HOUR_MS },
      nowMs: () => nowMs,
      ...over,
    });
    opened.push(store);
    return store;
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'webvirt-cassandra-'));
    node = await startCassandra({ dir, port: await freePort(), sync: 'batch' });
    client = new cassandra.Client({ contactPoints: [`127.0.0.1:${node.port}`], localDataCenter: 'datacenter1' });
    await client.connect();
  });
  afterAll(async () => {
    await client?.shutdown();
    await node?.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    for (const name of TABLES.map(tableName)) if (name !== 'meta') await client.execute(`TRUNCATE webvirt.${name}`);
    nowMs = NOW;
  });

  const from = (agent: string, first: number, count: number) =>
    batchOf(first, numbered(first, count), { agent, host: '' });

  it('keeps the lines of managers that store in the same millisecond, of one agent name, and gives each line once', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const write = (store: CassandraLines, epoch: string) =>
      Promise.all(
        Array.from({ length: 10 }, (_, i) => store.lines.append([{ ...from('manager', i * 3, 3), epoch, host: '' }])),
      );
    const committed = (await Promise.all([write(a, EPOCH), write(b, OTHER_EPOCH)])).flat(2);
    expect(new Set(committed.map(({ ordinal }) => ordinal)).size).toBe(20);
    expect(new Set(committed.map(({ ordinal }) => laneOf(ordinal))).size).toBe(2);
    for (const { lines } of [a, b]) {
      expect(await lines.count({})).toBe(60);
      const page = await lines.query({}, { limit: 35 });
      const rest = await lines.query({}, { limit: 35, cursor: page.next! });
      expect(new Set([...page.lines, ...rest.lines].map(({ id }) => id)).size).toBe(60);
    }
    // The ninth: nobody takes the place of a manager that is there.
    for (let lane = 2; lane < 8; lane += 1)
      await client.execute(`INSERT INTO webvirt.lanes (part, lane, manager) VALUES (0, ${lane}, 'm${lane}')`);
    await expect(open('ninth')).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(laneOf((await (await open('b')).lines.append([from('x', 0, 1)]))[0]!.ordinal)).toBe(
      laneOf(committed.at(-1)!.ordinal),
    );
  });

  it('goes on after a place of each manager: every line of both once, whoever is asked, in what order ever they store', async () => {
    const [a, b] = [await open('a'), await open('b')];
    let seed = 5;
    const random = (limit: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    const next = [0, 0];
    const seen: string[] = [];
    let positions: number[] | null = null;
    for (let round = 0; round < 30; round += 1) {
      nowMs += random(2) === 0 ? 0 : random(40_000);
      for (let i = random(4); i > 0; i -= 1) {
        const who = random(2);
        const count = 1 + random(5);
        // The clock of the second one is behind.
        if (who === 1) nowMs -= 3_000;
        await [a, b][who]!.lines.append([from(['a', 'b'][who]!, next[who]!, count)]);
        if (who === 1) nowMs += 3_000;
        next[who]! += count;
      }
      const asked = [a, b][random(2)]!.lines.shared!;
      for (let full = true; full; ) {
        const limit = 1 + random(6);
        const found: { lines: { id: string }[]; positions: number[] } = await asked.since({}, positions ?? [], limit);
        seen.push(...found.lines.map(({ id }) => id));
        ({ positions } = found);
        full = found.lines.length === limit;
      }
    }
    expect(next[0]! + next[1]!).toBeGreaterThan(60);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(next[0]! + next[1]!);
  });

  it('shows no line of another manager before it is stored, also when that one is killed there', async () => {
    let failAt = '';
    const failpoint = (name: string) => {
      if (name === failAt) throw new Error(`ended at ${name}`);
    };
    const [a, b] = [await open('a', { failpoint }), await open('b')];
    await a.lines.append([from('x', 0, 2)]);
    expect(await b.lines.count({})).toBe(2);
    failAt = 'M2';
    await expect(a.lines.append([from('x', 2, 3)])).rejects.toThrow('M2');
    expect([await b.lines.count({}), (await b.lines.since({}, 0, 99)).lines.length]).toEqual([2, 2]);
    failAt = '';
    await a.lines.append([from('x', 2, 4)]);
    expect([await b.lines.count({}), (await b.lines.since({}, 0, 99)).lines.length]).toEqual([6, 6]);
  });

  it('reads of many blocks only those that may have a word, and finds what is there', async () => {
    const counts = { looked: 0, read: 0 };
    const a = await open('a', { counts });
    let next = 0;
    for (let block = 0; block < 24; block += 1) {
      nowMs += 20_000;
      const lines = Array.from({ length: 200 }, (_, i) => ({
        message: `request ${block * 200 + i} took ${i % 17} ms${block === 7 && i === 9 ? ' Nadel\ud83d\ude00' : ''}`,
        ...(block === 3 ? { unit: 'Rare.service' } : {}),
      }));
      await a.lines.append([batchOf(next, lines)]);
      next += 200;
    }
    const asked = async (q: string, matches: number, most: number) => {
      Object.assign(counts, { looked: 0, read: 0 });
      expect(await a.lines.count({ q })).toBe(matches);
      expect(counts.looked).toBe(24);
      expect(counts.read, q).toBeLessThanOrEqual(most);
      const found: unknown[] = [];
      await a.lines.search({ q }, { limit: 9_999, onFound: (lines) => found.push(...lines) });
      expect(found).toHaveLength(matches);
      expect((await a.lines.since({ q }, 0, 9_999)).lines).toHaveLength(matches);
    };
    await asked('nADEL\ud83d\ude00', 1, 1);
    await asked('/Nad.l/', 1, 1);
    await asked('unit:rare.SERVICE', 200, 3);
    await asked('"nothing of this kind"', 0, 0);
    await asked('request', 4_800, 24);
    await asked('\ude00', 1, 24);
  });

  it('finds lines of a keyspace that an earlier program made', async () => {
    await (await open('a')).lines.append([batchOf(0, [{ message: `early ${'x'.repeat(9_000)}` }])]);
    for (const text of ['ALTER TABLE webvirt.blocks DROP grams', 'DROP TABLE webvirt.lanes', 'DROP TABLE webvirt.kept'])
      await client.execute(text);
    await client.execute("INSERT INTO webvirt.meta (name, value) VALUES ('schema', 1)");
    const next = await open('a');
    await next.lines.append([batchOf(1, [{ message: `late ${'y'.repeat(9_000)}` }])]);
    expect([await next.lines.count({ q: 'early' }), await next.lines.count({ q: 'late' })]).toEqual([1, 1]);
    const [meta] = (await client.execute("SELECT value FROM webvirt.meta WHERE name = 'schema'")).rows;
    expect(Number(meta!['value'])).toBe(2);
  });

  describe('and marks of times that are kept', () => {
    const seconds = async (table: string, column: string) => {
      const { rows } = await client.execute(`SELECT ttl(${column}) AS left FROM webvirt.${table}`);
      return rows.map((row) => row['left'] as number | null);
    };
    const left = () => seconds('blocks', 'body');
    const mark = { fromMs: NOW, toMs: NOW + 60_000 };

    it('writes marked minutes without an end, with all that finds them, and lets go when the last mark is gone', async () => {
      const [a, b] = [await open('a'), await open('b')];
      await a.lines.append([batchOf(0, [{ instance: 'i1' }, { level: 'debug' }])]);
      nowMs += 10 * 60_000;
      await a.lines.append([batchOf(2, numbered(2, 1), { receivedMs: nowMs })]);
      expect((await left()).every((ttl) => ttl !== null)).toBe(true);
      nowMs += 10 * 60_000;
      expect((await a.keepMarked([mark])).kept.lines).toBe(2);
      expect((await left()).filter((ttl) => ttl === null)).toHaveLength(2);
      expect((await a.keepMarked([mark])).kept.lines).toBe(0);
      expect((await seconds('places', 'last')).filter((ttl) => ttl === null)).toHaveLength(1);
      expect(await a.lines.get(`a1.${EPOCH}.1`)).toMatchObject({ level: 'debug' });
      expect((await b.keepMarked([mark])).kept.lines).toBe(0);
      expect((await a.keepMarked([])).released.lines).toBe(0);
      expect((await left()).filter((ttl) => ttl === null)).toHaveLength(2);
      expect((await b.keepMarked([])).released.lines).toBe(2);
      expect((await left()).filter((ttl) => ttl === null)).toHaveLength(0);
      // Both hear at once that a mark came, and that it went.
      await Promise.all([a.keepMarked([mark]), b.keepMarked([mark])]);
      expect((await left()).filter((ttl) => ttl === null)).toHaveLength(2);
      await Promise.all([a.keepMarked([]), b.keepMarked([])]);
      const after = (await left()).map((ttl) => ttl ?? -1);
      // Twenty minutes of their two hours, or their day, have gone.
      expect(Math.min(...after)).toBeGreaterThan(90 * 60);
      expect(Math.min(...after)).toBeLessThanOrEqual(100 * 60 + 1);
      expect(Math.max(...after)).toBeLessThanOrEqual(24 * 3_600);
      expect(await a.lines.count({})).toBe(3);
      expect((await client.execute('SELECT * FROM webvirt.kept')).rows).toHaveLength(0);
    });

    it('shows what was kept after everything beside it has ended, in every way of asking', async () => {
      let a = await open('a');
      await a.lines.append([batchOf(0, [{ instance: 'i1', message: 'kept' }])]);
      nowMs += 10 * 60_000;
      await a.keepMarked([mark]);
      // As when a day has gone by: the same rows once more, with an end that is there at once.
      await a.lines.append([batchOf(1, [{ instance: 'i1', message: 'gone' }], { receivedMs: nowMs })]);
      await a.keepMarked([mark]);
      const { rows } = await client.execute(
        'SELECT bucket, shard, ordinal, part, ttl(body) AS left FROM webvirt.blocks',
      );
      const gone = rows.find((row) => row['left'] !== null)!;
      await client.execute(`DELETE FROM webvirt.blocks WHERE bucket = ${gone['bucket']} AND shard = ${gone['shard']}`);
      await opened.pop()!.close();
      await client.execute('TRUNCATE webvirt.tallies');
      nowMs += 48 * HOUR_MS;
      a = await open('a');
      const messages = async (q: string) =>
        (await a.lines.query({ q }, { limit: 9 })).lines.map((line) => line.message);
      expect(await messages('')).toEqual(['kept']);
      expect(await messages('instance:i1')).toEqual(['kept']);
      expect(await a.lines.count({ level: 'info' })).toBe(1);
      expect(await a.lines.facets({}, 'host', 9)).toEqual([{ value: 'a1', count: 1 }]);
      expect((await a.lines.stats()).lines).toBe(1);
    });
  });
});

if (missing !== null) it.skip(`skipped: no Cassandra (${missing})`, () => undefined);
