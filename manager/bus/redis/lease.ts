import type { Redis } from 'ioredis';
import { whenReady } from '../../../logging/redis-connection.ts';
import { createHold, HOLD_DEFAULTS, type HoldConfig, type LeadStore } from './hold.ts';

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
  /** Times of the hold in a store that the managers share; absent: HOLD_DEFAULTS. */
  hold?: Partial<Omit<HoldConfig, 'owner'>>;
}

export const LEASE_DEFAULTS = { ttlMs: 8_000, everyMs: 2_000, patienceMs: 3_000, aloneMs: 20_000 };

/** Of several managers one looks after what must happen once. */
export interface Lease {
  start(): void;
  /** Gives it up, so that another takes it at once. */
  stop(): Promise<void>;
  readonly isOurs: boolean;
  /** Asked right before something is told: where the managers share a store, that has the last word. */
  confirm(): Promise<boolean>;
}

const RENEW_OR_TAKE = `
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1 end
if owner or ARGV[3] == '0' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1`;
const GIVE_UP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 0";

/**
 * Whoever has it keeps it while Redis is away: nobody else can take it then, and rules that nobody looks after would be
 * worse. Where the managers share a store, it is asked first, and Redis only by the one who has it there: a manager that
 * alone is cut off from Redis goes on as the only one, and one that is cut off from the store has ended before another
 * begins. With a store for each, a manager that alone is cut off from Redis may tell what another one tells too.
 */
export function createLease(
  config: LeaseConfig,
  { redis, store, onChange }: { redis: Redis; store?: LeadStore | null; onChange(isOurs: boolean): void },
): Lease {
  const startedMs = performance.now();
  const hold = store
    ? createHold({ ...HOLD_DEFAULTS, ...config.hold, owner: config.owner }, { store, onChange: onHold })
    : null;
  /** As far as Redis is concerned. */
  let isFree = false;
  let wasOurs = false;
  let wasReached = false;
  let readyMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const isHeld = () => hold?.isOurs ?? true;
  const isOurs = () => !stopped && isFree && isHeld();

  function settle(): void {
    const is = isOurs();
    if (is === wasOurs || stopped) return;
    wasOurs = is;
    onChange(is);
  }

  async function giveUp(): Promise<void> {
    if (redis.status === 'ready') await redis.eval(GIVE_UP, 1, config.key, config.owner).catch(() => 0);
  }

  function onHold(is: boolean): void {
    settle();
    if (is) void ask();
    else {
      // While Redis is away nobody else can have taken it there: with the hold it comes back.
      if (redis.status === 'ready') isFree = false;
      void giveUp();
    }
  }

  async function ask(): Promise<void> {
    if (stopped) return;
    try {
      await whenReady(redis);
      readyMs ??= performance.now();
      const mayTake = wasOurs || performance.now() - readyMs >= config.patienceMs;
      if (!isHeld()) return;
      const args = [config.owner, config.ttlMs, mayTake ? 1 : 0] as const;
      const answer = await redis.eval(RENEW_OR_TAKE, 1, config.key, ...args);
      wasReached = true;
      isFree = answer === 1 && isHeld();
    } catch {
      readyMs = null;
      if (!wasReached && performance.now() - startedMs >= config.aloneMs) isFree = isHeld();
    }
    settle();
  }

  async function look(): Promise<void> {
    await ask();
    if (!stopped) timer = setTimeout(() => void look(), config.everyMs).unref();
  }

  return {
    start() {
      hold?.start();
      void look();
    },
    async stop() {
      const had = isFree;
      stopped = true;
      clearTimeout(timer);
      if (had) await giveUp();
      await hold?.stop();
    },
    get isOurs() {
      return isOurs();
    },
    async confirm() {
      if (hold !== null && isOurs()) await hold.confirm();
      return isOurs();
    },
  };
}
