import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Bus } from '../bus/bus.ts';
import { type BusNumbers, createRedisBus } from '../bus/redis-bus.ts';
import type { ManagerConfig } from '../config.ts';
import type { Log } from '../http/log.ts';
import type { SettingStore } from '../store/ports.ts';

const MANAGER_ID = 'manager-id';

/** The other managers, where Redis joins several. */
export interface Peers {
  start(): void;
  stop(): Promise<void>;
  /** How many managers are there, this one counted; null for one that is configured to be alone. */
  managers(): number | null;
  /** Null for one that is alone. */
  numbers(): BusNumbers | null;
}

/** Joins this manager to the others, if the configuration names a Redis. It has the same id for as long as its data. */
export function createPeers(
  { redis }: ManagerConfig,
  deps: { settings: SettingStore; bus: Bus; log: Log; version: string },
): Peers {
  if (redis.url === null)
    return { start() {}, stop: () => Promise.resolve(), managers: () => null, numbers: () => null };
  const { settings, bus, log, version } = deps;
  let managerId = settings.get(MANAGER_ID);
  if (managerId === null) {
    managerId = randomUUID();
    settings.put(MANAGER_ID, managerId);
  }
  const joined = createRedisBus(
    {
      ...{ url: redis.url, username: redis.username ?? undefined, password: redis.password ?? undefined },
      ...{ prefix: redis.prefix, managerId, name: redis.name ?? hostname(), version },
      ...{ limitChars: redis.waiting, keepEntries: redis.keep },
    },
    { bus, log },
  );
  return {
    start: joined.start,
    stop: joined.stop,
    managers: () => joined.peers().length + 1,
    numbers: joined.numbers,
  };
}
