import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasRedis, REDIS_NOTE, startRedis, type TestRedis } from '../../../logging/redis.testing.ts';
import { openRedis } from '../../../logging/redis-connection.ts';
import { type FaultyRoad, startFaultyRoad } from '../../../test/support/faulty-road.ts';
import { createHold, type LeadStore } from './hold.ts';
import { createLease, type Lease } from './lease.ts';

const HOLD = { ttlMs: 2_400, marginMs: 800, everyMs: 40, limitMs: 400 };
const TIMES = { ttlMs: 300, everyMs: 20, patienceMs: 60, aloneMs: 400, hold: HOLD };

/** The row of a store that all share, which ends by itself; `isCut` is one manager's road to it. */
function createRow(onTaken: () => void = () => undefined) {
  let row: { owner: string; untilMs: number } | null = null;
  const owner = () => (row === null || performance.now() >= row.untilMs ? null : row.owner);
  return {
    owner,
    of(isCut: () => boolean): LeadStore {
      const cross = () => (isCut() ? Promise.reject(new Error('cut off')) : Promise.resolve());
      return {
        async hold(wanted, ttlMs) {
          await cross();
          if (owner() !== null && owner() !== wanted) return false;
          if (owner() === null) onTaken();
          row = { owner: wanted, untilMs: performance.now() + ttlMs };
          return true;
        },
        async release(wanted) {
          await cross();
          if (owner() === wanted) row = null;
        },
      };
    },
  };
}

describe.skipIf(!hasRedis)(`a leader that is cut off, ${REDIS_NOTE}`, () => {
  let redis: TestRedis;
  let row: ReturnType<typeof createRow>;
  const undo: (() => unknown)[] = [];
  const all: Manager[] = [];
  /** Who still led when another took the lead in the store, and who led beside another: nobody. */
  const overlaps: string[] = [];
  beforeEach(async () => {
    redis = await startRedis();
    undo.push(redis.stop);
    row = createRow(() => overlaps.push(...leaders().map(({ name }) => name)));
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    all.length = 0;
    overlaps.length = 0;
  });

  interface Manager {
    name: string;
    lease: Lease;
    connection: Redis;
    /** Its road to Redis. */
    road: FaultyRoad;
    changes: boolean[];
    isCutFromStore: boolean;
  }
  async function manager(name: string): Promise<Manager> {
    const road = await startFaultyRoad({ port: redis.port });
    const connection = openRedis({ url: `redis://127.0.0.1:${road.port}` }, { name, commandLimitMs: 100 });
    const made = { name, connection, road, changes: [] as boolean[], isCutFromStore: false } as Manager;
    made.lease = createLease(
      { ...TIMES, key: 'lease', owner: name },
      {
        redis: connection,
        store: row.of(() => made.isCutFromStore),
        onChange(isOurs) {
          made.changes.push(isOurs);
          if (leaders().length > 1) overlaps.push(...leaders().map((one) => one.name));
        },
      },
    );
    all.push(made);
    made.lease.start();
    undo.push(async () => {
      await made.lease.stop();
      connection.disconnect();
      await road.stop();
    });
    return made;
  }
  const until = async (test: () => boolean) => {
    while (!test()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  const leaders = () => all.filter(({ lease }) => lease.isOurs);
  async function pair(): Promise<[leader: Manager, other: Manager]> {
    const both = [await manager('a'), await manager('b')];
    await until(() => leaders().length === 1);
    const [leader] = leaders();
    return [leader!, both.find((one) => one !== leader)!];
  }

  it('from Redis alone goes on as the only one, for as long as it lasts and when it is back', async () => {
    const [leader, other] = await pair();
    const client = redis.client();
    leader.road.set({ held: 'both' });
    // Longer than another needs to take what is free in Redis.
    while ((await client.get('lease')) !== null) await new Promise((resolve) => setTimeout(resolve, 10));
    const fromMs = performance.now();
    while (performance.now() - fromMs < 2 * TIMES.ttlMs) {
      expect([leader.lease.isOurs, other.lease.isOurs, await client.get('lease')]).toEqual([true, false, null]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await leader.lease.confirm()).toBe(true);
    leader.road.set({});
    while ((await client.get('lease')) !== leader.name) await new Promise((resolve) => setTimeout(resolve, 10));
    expect([leader.changes, other.changes]).toEqual([[true], []]);
  });

  it('from the store has ended before another begins', async () => {
    const [leader, other] = await pair();
    leader.isCutFromStore = true;
    await until(() => other.lease.isOurs);
    leader.isCutFromStore = false;
    expect(await leader.lease.confirm()).toBe(false);
    expect([leader.changes, other.changes, overlaps]).toEqual([[true, false], [true], []]);
  });

  it('from both makes room for another, and steps back for good', async () => {
    const [leader, other] = await pair();
    leader.isCutFromStore = true;
    leader.road.set({ held: 'both' });
    await until(() => other.lease.isOurs);
    expect(leader.lease.isOurs).toBe(false);
    leader.isCutFromStore = false;
    leader.road.set({});
    const client = redis.client();
    while ((await client.get('lease')) !== other.name) await new Promise((resolve) => setTimeout(resolve, 10));
    await until(() => leader.connection.status === 'ready');
    expect(await leader.lease.confirm()).toBe(false);
    expect([leader.changes, other.changes, overlaps]).toEqual([[true, false], [true], []]);
  });

  it('and that ends gives both up: another begins at once', async () => {
    const [leader, other] = await pair();
    await leader.lease.stop();
    expect([leader.lease.isOurs, row.owner() === leader.name]).toEqual([false, false]);
    await until(() => other.lease.isOurs);
    expect(overlaps).toEqual([]);
  });
});

describe('the hold of the lead', () => {
  const start = (store: LeadStore, over: Partial<typeof HOLD> = {}) => {
    const changes: boolean[] = [];
    const hold = createHold({ ...HOLD, ...over, owner: 'a' }, { store, onChange: (is) => changes.push(is) });
    hold.start();
    return { hold, changes };
  };
  const until = async (test: () => boolean) => {
    while (!test()) await new Promise((resolve) => setTimeout(resolve, 2));
  };

  it('ends while this machine stands still, before anything else runs on it', async () => {
    const row = createRow();
    const { hold } = start(
      row.of(() => false),
      { ttlMs: 400, marginMs: 100 },
    );
    await until(() => hold.isOurs);
    const untilMs = performance.now() + 400;
    while (performance.now() < untilMs);
    expect(hold.isOurs).toBe(false);
    // Another has taken it meanwhile.
    await row.of(() => false).hold('b', 60_000);
    expect(await hold.confirm()).toBe(false);
    await hold.stop();
    expect(row.owner()).toBe('b');
  });

  it('counts from when it was asked for: an answer that comes late is worth less, and one too late nothing', async () => {
    let answer: ((is: boolean) => void) | null = null;
    const store: LeadStore = {
      hold: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      release: () => Promise.resolve(),
    };
    const { hold, changes } = start(store, { ttlMs: 300, marginMs: 100, limitMs: 5_000 });
    await until(() => answer !== null);
    await new Promise((resolve) => setTimeout(resolve, 250));
    answer!(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect([hold.isOurs, changes]).toEqual([false, []]);
    await hold.stop();
  });
});
