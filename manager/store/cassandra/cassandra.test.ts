import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import cassandra from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkConfig } from '../../../common/pure/config/check.ts';
import { type CassandraNode, cassandraMissing, freePort, startCassandra } from '../../../test/support/cassandra.ts';
import { cassandraKills } from '../../../test/support/cassandra-kills.ts';
import { freeze } from '../../../test/support/freeze.ts';
import { managerConfigSchema } from '../../config.ts';
import { openLineEngine } from '../../manager/line-engine.ts';
import { batchOf, NOW, numbered } from '../batch-of.testing.ts';
import { lineStoreContract } from '../lines-contract.testing.ts';
import { type CassandraLines, openCassandraLines } from './open.ts';
import type { CassandraOptions } from './options.ts';
import { TABLES, tableName } from './schema.ts';

const DAY_MS = 86_400_000;
const missing = await cassandraMissing();
// The node shares two processors with the other tests, and its first statements are slow.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

/** One real node for all of this file: it takes eight seconds to start. */
describe.skipIf(missing !== null)('cassandra', () => {
  let dir: string;
  let node: CassandraNode;
  const optionsOf = (over: Partial<CassandraOptions> = {}): CassandraOptions => ({
    contactPoints: [`127.0.0.1:${node.port}`],
    ...{ localDataCenter: 'datacenter1', keyspace: 'webvirt', replication: '1', manager: 'm1' },
    keepMs: { error: 30 * DAY_MS, warn: 30 * DAY_MS, info: 30 * DAY_MS, debug: 7 * DAY_MS },
    ...over,
  });
  const restart = async (sync: 'batch' | 'periodic') => {
    const { port } = node;
    await node.kill();
    node = await startCassandra({ dir, port, sync });
  };
  const messagesIn = async ({ lines }: Pick<CassandraLines, 'lines'>) =>
    (await lines.query({}, { limit: 1_000 })).lines.map((line) => line.message).sort();
  const words = (from: number, count: number) =>
    numbered(from, count)
      .map((line) => line.message)
      .sort();

  /** Much quicker than another keyspace. */
  async function empty(): Promise<void> {
    const client = new cassandra.Client({ contactPoints: [`127.0.0.1:${node.port}`], localDataCenter: 'datacenter1' });
    await client.connect();
    for (const name of TABLES.map(tableName)) if (name !== 'meta') await client.execute(`TRUNCATE webvirt.${name}`);
    await client.shutdown();
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'webvirt-cassandra-'));
    node = await startCassandra({ dir, port: await freePort(), sync: 'batch' });
  }, 120_000);
  afterAll(async () => {
    await node?.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  lineStoreContract('Cassandra', async () => {
    let store: CassandraLines = await openCassandraLines(optionsOf());
    return {
      lines: () => store.lines,
      async reopen() {
        await store.close();
        store = await openCassandraLines(optionsOf());
      },
      async remove() {
        await store.close();
        await empty();
      },
    };
  });

  cassandraKills({ node: () => node, optionsOf, empty });

  it('takes back what was written before a crash, and stores it once when it comes again', async () => {
    let failAt = '';
    const failing = optionsOf({
      failpoint(name) {
        if (name === failAt) throw new Error(`ended at ${name}`);
      },
    });
    const crashed = await openCassandraLines(failing);
    await crashed.lines.append([batchOf(0, numbered(0, 3))]);
    failAt = 'M2';
    await expect(crashed.lines.append([batchOf(3, numbered(3, 3))])).rejects.toThrow('M2');
    // Lines that no cursor stands for are not shown, also not to a manager that finds them.
    expect(await messagesIn(crashed)).toEqual(words(0, 3));
    const warnings: string[] = [];
    const next = await openCassandraLines(optionsOf({ onWarning: (message) => warnings.push(message) }));
    expect(warnings.join()).toMatch(/taken back/);
    expect((await next.lines.cursors('a1'))[0]?.next).toBe(3);
    expect(await messagesIn(next)).toEqual(words(0, 3));
    // Cut otherwise than before the crash, and received later.
    await next.lines.append([batchOf(3, numbered(3, 2), { receivedMs: NOW + 90_000 })]);
    await next.lines.append([batchOf(5, numbered(5, 3), { receivedMs: NOW + 90_000 })]);
    expect(await messagesIn(next)).toEqual(words(0, 8));
    expect(await next.lines.count({})).toBe(8);
    await next.close();
    // After the cursors: the lines are stored, although nobody was told.
    failAt = 'M3';
    await expect(openAgain(crashed, failing, failAt)).rejects.toThrow('M3');
    const last = await openCassandraLines(optionsOf());
    expect((await last.lines.cursors('a1'))[0]?.next).toBe(9);
    expect(await messagesIn(last)).toEqual(words(0, 9));
    await last.close();
    await empty();
  });

  async function openAgain(old: CassandraLines, options: CassandraOptions, _at: string) {
    await old.close().catch(() => undefined);
    const again = await openCassandraLines(options);
    await again.lines.append([batchOf(8, numbered(8, 1))]);
  }

  it('is opened by the configuration, with the samples in the embedded file', async () => {
    const dataDir = join(dir, 'manager');
    mkdirSync(dataDir);
    const given = {
      dataDir,
      store: { engine: 'cassandra', cassandra: { contactPoints: [`127.0.0.1:${node.port}`], replication: '1' } },
    };
    const config = checkConfig(managerConfigSchema, given, { file: 'test' });
    const settings = new Map<string, string>();
    const open = () =>
      openLineEngine(
        config,
        { get: (name) => settings.get(name) ?? null, put: (name, value) => void settings.set(name, value) },
        () => undefined,
      );
    const first = await open();
    await first.lines.append([batchOf(0, numbered(0, 2))]);
    await first.samples.append([{ id: 'h', kind: 'host', tsMs: NOW, cpuRatio: 1, memoryUsedBytes: 1 }]);
    await first.close();
    const again = await open();
    expect(await messagesIn(again)).toEqual(words(0, 2));
    expect(await again.samples.series('host', { fromMs: 0, points: 9 })).toHaveLength(1);
    expect(settings.size).toBe(1);
    await again.close();
    await empty();
  });

  it('stops a search between two windows, and keeps a mark of byte order wherever it stands', async () => {
    const store = await openCassandraLines(optionsOf());
    const lines = numbered(0, 200, -60_000).map((line) => ({ ...line, instance: '\ufeff' }));
    await store.lines.append([batchOf(0, lines)]);
    const cancel = new AbortController();
    const options = { limit: 999, signal: cancel.signal, onFound: () => cancel.abort() };
    await expect(store.lines.search({ q: 'm1' }, options)).rejects.toMatchObject({ code: 'op-cancelled' });
    expect(await store.lines.facets({}, 'instance', 1)).toEqual([{ value: '\ufeff', count: 200 }]);
    await store.close();
    await empty();
  });

  it('lets one of two managers store the lines of an agent, and the other learn of it', async () => {
    const one = await openCassandraLines(optionsOf());
    const two = await openCassandraLines(optionsOf({ manager: 'm2' }));
    await one.lines.append([batchOf(0, numbered(0, 2))]);
    expect((await two.lines.cursors('a1'))[0]?.next).toBe(2);
    await one.lines.append([batchOf(2, numbered(2, 2))]);
    // It still thinks that the epoch ends at 2.
    await expect(two.lines.append([batchOf(2, numbered(2, 3))])).rejects.toMatchObject({ code: 'store-unavailable' });
    expect((await two.lines.cursors('a1'))[0]?.next).toBe(4);
    await two.lines.append([batchOf(4, numbered(4, 1))]);
    for (const store of [one, two]) expect(await messagesIn(store)).toEqual(words(0, 5));
    expect((await one.lines.cursors('a1'))[0]?.next).toBe(5);
    await Promise.all([one.close(), two.close()]);
    await empty();
  });

  it('refuses while Cassandra is away, loses nothing of what it answered, and goes on by itself', async () => {
    const store = await openCassandraLines(optionsOf({ requestTimeoutMs: 1_000 }));
    await store.lines.append([batchOf(0, numbered(0, 3))]);
    await freeze(node.pid);
    const refused = { code: 'store-unavailable' };
    await expect(store.lines.append([batchOf(3, numbered(3, 3))])).rejects.toMatchObject(refused);
    await expect(store.lines.cursors('a1')).rejects.toMatchObject(refused);
    await expect(store.lines.query({}, { limit: 1 })).rejects.toMatchObject(refused);
    process.kill(node.pid, 'SIGCONT');
    // What was under way may have been stored or not: the cursor says which, and the agent goes on there.
    await expect.poll(async () => storedNext(store)).toBeGreaterThanOrEqual(3);
    const next = await storedNext(store);
    expect([3, 6]).toContain(next);
    if (next === 3) await store.lines.append([batchOf(3, numbered(3, 3), { receivedMs: NOW + 70_000 })]);
    expect(await messagesIn(store)).toEqual(words(0, 6));
    await store.lines.append([batchOf(6, numbered(6, 500))]);
    // As when the power fails: nothing was flushed, the log of the node is all there is.
    await restart('periodic');
    await expect.poll(async () => storedNext(store)).toBe(506);
    // The driver opens its connections one by one: what comes in between may be refused once more.
    await expect.poll(() => store.lines.count({}).catch(() => -1)).toBe(506);
    await store.lines.append([batchOf(506, numbered(506, 1))]);
    expect(await store.lines.count({})).toBe(507);
    await store.close();
    const warnings: Record<string, unknown>[] = [];
    const warned = await openCassandraLines(optionsOf({ onWarning: (_message, fields) => warnings.push(fields) }));
    expect(warnings).toMatchObject([{ commitlogSync: 'periodic' }]);
    await warned.close();
  }, 90_000);

  it('has one leader of all managers: who renews it keeps it, and it ends by itself or when it is given up', async () => {
    const [a, b] = [await openCassandraLines(optionsOf()), await openCassandraLines(optionsOf({ manager: 'm2' }))];
    const [first, second] = [a.lines.shared!.lead, b.lines.shared!.lead];
    expect((await Promise.all([first.hold('a', 60_000), second.hold('b', 60_000)])).sort()).toEqual([false, true]);
    const isFirst = await first.hold('a', 60_000);
    const [owner, other] = isFirst ? (['a', 'b'] as const) : (['b', 'a'] as const);
    expect([await second.hold(owner, 60_000), await second.hold(other, 60_000)]).toEqual([true, false]);
    // Not by who has it not.
    await first.release(other);
    expect(await first.hold(other, 60_000)).toBe(false);
    await first.release(owner);
    expect(await first.hold(other, 1_000)).toBe(true);
    // Nobody renews it.
    await expect.poll(() => second.hold(owner, 1_000), { timeout: 15_000, interval: 100 }).toBe(true);
    for (const store of [a, b]) await store.close();
    await empty();
  });

  async function storedNext({ lines }: CassandraLines): Promise<number> {
    return (await lines.cursors('a1').catch(() => []))[0]?.next ?? -1;
  }
});

// Seen in the summary: never a pass that tried nothing.
if (missing !== null) it.skip(`skipped: no Cassandra (${missing})`, () => undefined);
