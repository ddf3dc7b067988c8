import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasRedis, REDIS_NOTE, startRedis, type TestRedis } from '../../../logging/redis.testing.ts';
import { openRedis } from '../../../logging/redis-connection.ts';
import { createLease, type Lease } from './lease.ts';

/** Shorter than at work, and longer than anything here ever stands still. */
const TIMES = { ttlMs: 1_500, everyMs: 50, patienceMs: 150, aloneMs: 1_000 };

describe.skipIf(!hasRedis)(`of several managers one leads, ${REDIS_NOTE}`, () => {
  let redis: TestRedis;
  const undo: (() => unknown)[] = [];
  beforeEach(async () => {
    redis = await startRedis();
    undo.push(redis.stop);
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  interface Manager {
    lease: Lease;
    changes: boolean[];
    connection: Redis;
  }
  function manager(owner: string): Manager {
    const connection = openRedis({ url: redis.url }, { name: owner, commandLimitMs: 1_000 });
    const changes: boolean[] = [];
    const lease = createLease(
      { ...TIMES, key: 'lease', owner },
      { redis: connection, onChange: (isOurs) => changes.push(isOurs) },
    );
    lease.start();
    undo.push(async () => {
      await lease.stop();
      connection.disconnect();
    });
    return { lease, changes, connection };
  }
  const leaders = (all: Manager[]) => all.filter(({ lease }) => lease.isOurs);
  const until = async (test: () => boolean) => {
    while (!test()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('and another when it ends, or says nothing any more', async () => {
    const all = ['a', 'b', 'c'].map(manager);
    await until(() => leaders(all).length === 1);
    const first = leaders(all)[0]!;
    await first.lease.stop();
    const rest = all.filter((one) => one !== first);
    await until(() => leaders(rest).length === 1);
    const second = leaders(rest)[0]!;
    const last = rest.find((one) => one !== second)!;
    // As when it is killed: nothing is given up.
    second.connection.disconnect();
    await until(() => last.lease.isOurs);
    expect(all.map(({ changes }) => changes)).toEqual([[true], [true], [true]]);
  });

  it('and goes on while Redis is away, also when that comes back empty', async () => {
    const all = ['a', 'b'].map(manager);
    await until(() => leaders(all).length === 1);
    const [leader] = leaders(all);
    await redis.kill();
    await until(() => all.every(({ connection }) => connection.status !== 'ready'));
    expect(leaders(all)).toEqual([leader]);
    await redis.start();
    const client = redis.client();
    let holder: string | null = null;
    while (holder === null) holder = await client.get('lease').catch(() => null);
    expect(holder).toBe(all[0] === leader ? 'a' : 'b');
    expect(all.map(({ changes }) => changes.length).sort()).toEqual([0, 1]);
  });

  it('which is the one that finds no Redis, until it finds it and another leads', async () => {
    await redis.kill();
    const alone = manager('alone');
    await until(() => alone.lease.isOurs);
    await redis.start();
    const client = redis.client();
    await client.set('lease', 'somebody else', 'PX', 60_000);
    await until(() => !alone.lease.isOurs);
    expect(alone.changes).toEqual([true, false]);
  });
});
