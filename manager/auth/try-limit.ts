import { isIPv6 } from 'node:net';

export interface TryLimitConfig {
  /** Failed tries that are free within `windowMs`. */
  tries: number;
  windowMs: number;
  /** Longest wait. */
  maxWaitMs: number;
  /** Accounts and addresses that are remembered; the oldest is forgotten beyond it. */
  maxEntries: number;
}

interface Bucket {
  failures: number;
  /** Whether a refusal was told since the last try that was let through. */
  told: boolean;
  lastMs: number;
  /** `lastMs` before the last try. */
  beforeMs: number;
}

export interface TryLimit {
  /** Milliseconds to wait before this try may be made; 0: now, and then it counts as failed until `succeeded`. */
  take(account: string, address: string): number;
  succeeded(account: string, address: string): void;
  /** The try was not made, because too many others were under way: it counts for nothing. */
  notMade(account: string, address: string): void;
  /** True when this account was signed in to from this address before. */
  isKnown(account: string, address: string): boolean;
  /** True once for each wait of an address: a flood of refused tries is one line of the log. */
  isNews(address: string): boolean;
}

/**
 * Limits the guessing of passwords per address and per account. Once the free tries are used up each further one waits
 * twice as long. An account that is attacked from many places leaves each new address a single try at a time, so the
 * person who knows the password is never locked out by others: a right first try always gets in, and an address that
 * signed in before keeps its full allowance.
 */
export function createTryLimit(config: TryLimitConfig, now: () => number): TryLimit {
  const addresses = createBuckets(config, now);
  const pairs = createBuckets(config, now);
  const accounts = createBuckets(config, now);
  const trusted = new Map<string, true>();
  return {
    take(account, rawAddress) {
      const address = network(rawAddress);
      const pair = `${address} ${account}`;
      const attacked = accounts.waitMs(account) > 0 && !trusted.has(pair);
      const spacingMs = attacked ? pairs.spacingMs(pair) : 0;
      const waitMs = Math.max(addresses.waitMs(address), pairs.waitMs(pair), spacingMs);
      if (waitMs > 0) return waitMs;
      addresses.fail(address);
      pairs.fail(pair);
      accounts.fail(account);
      return 0;
    },
    notMade(account, rawAddress) {
      const address = network(rawAddress);
      addresses.takeBack(address);
      pairs.takeBack(`${address} ${account}`);
      accounts.takeBack(account);
    },
    isKnown: (account, address) => trusted.has(`${network(address)} ${account}`),
    isNews: (address) => addresses.tellOnce(network(address)),
    succeeded(account, rawAddress) {
      const address = network(rawAddress);
      const pair = `${address} ${account}`;
      pairs.clear(pair);
      // Only this try is given back: a member's own success must not wipe what the address tried on others.
      addresses.forgive(address);
      accounts.forgive(account);
      trusted.delete(pair);
      trusted.set(pair, true);
      if (trusted.size > config.maxEntries) trusted.delete(trusted.keys().next().value!);
    },
  };
}

/** A customer gets a whole /64 of IPv6: counting single addresses of it would count nothing. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}

function createBuckets(config: TryLimitConfig, now: () => number) {
  const buckets = new Map<string, Bucket>();
  const live = (key: string): Bucket | null => {
    const bucket = buckets.get(key);
    if (bucket === undefined) return null;
    const keptMs = bucket.failures >= config.tries ? config.maxWaitMs : config.windowMs;
    if (now() - bucket.lastMs < keptMs) return bucket;
    buckets.delete(key);
    return null;
  };
  return {
    /** 0 while there are free tries; then each failure doubles the wait. */
    waitMs(key: string): number {
      const bucket = live(key);
      if (bucket === null || bucket.failures < config.tries) return 0;
      const wait = Math.min(config.maxWaitMs, config.windowMs * 2 ** Math.min(20, bucket.failures - config.tries));
      return Math.max(0, bucket.lastMs + wait - now());
    },
    /** Time until the window after the last failure is over. */
    spacingMs(key: string): number {
      const bucket = live(key);
      return bucket === null || bucket.failures === 0 ? 0 : Math.max(0, bucket.lastMs + config.windowMs - now());
    },
    fail(key: string): void {
      const bucket = live(key) ?? { failures: 0, told: false, lastMs: 0, beforeMs: 0 };
      bucket.failures += 1;
      bucket.told = false;
      bucket.beforeMs = bucket.lastMs;
      bucket.lastMs = now();
      buckets.delete(key);
      buckets.set(key, bucket);
      if (buckets.size > config.maxEntries) buckets.delete(buckets.keys().next().value!);
    },
    tellOnce(key: string): boolean {
      const bucket = buckets.get(key);
      if (bucket?.told === true) return false;
      if (bucket !== undefined) bucket.told = true;
      return true;
    },
    takeBack(key: string): void {
      const bucket = buckets.get(key);
      if (bucket === undefined) return;
      bucket.failures = Math.max(0, bucket.failures - 1);
      bucket.lastMs = bucket.beforeMs;
    },
    forgive(key: string): void {
      const bucket = buckets.get(key);
      if (bucket !== undefined) bucket.failures = Math.max(0, bucket.failures - 1);
    },
    clear(key: string): void {
      buckets.delete(key);
    },
  };
}
