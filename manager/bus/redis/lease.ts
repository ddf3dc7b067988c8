import type { Redis } from 'ioredis';
import { whenReady } from '../../../logging/redis-connection.ts';

export interface LeaseConfig {
  key: string;
  /** This run of this manager. */
  owner: string;
  /** So long after its last word another takes it over. */
  ttlMs: number;
  everyMs: number;
  /** After Redis came (back) a free lease is left so long to the one who had it, and the others tell what they know. */
  patienceMs: number;
  /** A manager that has not reached Redis so long after its start takes itself for the only one. */
  aloneMs: number;
}

export const LEASE_DEFAULTS = { ttlMs: 8_000, everyMs: 2_000, patienceMs: 3_000, aloneMs: 20_000 };

/** Of several managers one looks after what must happen once. */
export interface Lease {
  start(): void;
  /** Gives it up, so that another takes it at once. */
  stop(): Promise<void>;
  readonly isOurs: boolean;
}

const RENEW_OR_TAKE = `
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1 end
if owner or ARGV[3] == '0' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1`;
const GIVE_UP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 0";

/**
 * Whoever has it keeps it while Redis is away: nobody else can take it then, and rules that nobody looks after would be
 * worse. A manager that alone is cut off from Redis may so tell what another one tells too, until it is back.
 */
export function createLease(
  config: LeaseConfig,
  { redis, onChange }: { redis: Redis; onChange(isOurs: boolean): void },
): Lease {
  const startedMs = performance.now();
  let isOurs = false;
  let wasReached = false;
  let readyMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function set(next: boolean): void {
    if (next === isOurs || stopped) return;
    isOurs = next;
    onChange(next);
  }

  async function look(): Promise<void> {
    try {
      await whenReady(redis);
      readyMs ??= performance.now();
      const mayTake = isOurs || performance.now() - readyMs >= config.patienceMs;
      const args = [config.owner, config.ttlMs, mayTake ? 1 : 0] as const;
      const answer = await redis.eval(RENEW_OR_TAKE, 1, config.key, ...args);
      wasReached = true;
      set(answer === 1);
    } catch {
      readyMs = null;
      if (!wasReached && performance.now() - startedMs >= config.aloneMs) set(true);
    }
    if (!stopped) timer = setTimeout(() => void look(), config.everyMs).unref();
  }

  return {
    start: () => void look(),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      if (isOurs && redis.status === 'ready') await redis.eval(GIVE_UP, 1, config.key, config.owner).catch(() => 0);
      isOurs = false;
    },
    get isOurs() {
      return isOurs;
    },
  };
}
