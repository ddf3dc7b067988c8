import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';

/** With a cost of 2^15: 32 MiB and about 80 ms a try on one core. */
const BLOCK = { r: 8, p: 1 };
const KEY_BYTES = 32;

interface Cost {
  N: number;
  r: number;
  p: number;
}

export interface Passwords {
  /** A hash to keep: `scrypt$N$r$p$salt$hash`. */
  hash(password: string): Promise<string>;
  /**
   * True when the password fits. `stored` is null for an unknown member: it takes as long and is false. `isKnown`: it
   * comes from where this member has signed in before; such tries wait apart from all others, and get every second turn.
   */
  verify(password: string, stored: string | null, isKnown?: boolean): Promise<boolean>;
}

export interface PasswordsConfig {
  /** Cost of new hashes, a power of two; old ones keep theirs. */
  cost: number;
  /** Hashes made at the same time; each holds 32 MiB and one thread of the pool that also reads files. */
  atOnce: number;
  /** Hashes that may wait, of known places and of all others each; beyond it a try is refused with `too-many-requests`. */
  waiting: number;
}

/** Hashing of passwords with a bounded queue, so that a flood of sign-ins costs neither memory nor the other requests. */
export function createPasswords(config: PasswordsConfig): Passwords {
  const inTurn = createTurns(config);
  const now: Cost = { N: config.cost, ...BLOCK };
  // Stands in for the hash of a member that does not exist.
  const nobody = encode(randomBytes(16), randomBytes(KEY_BYTES), now);
  return {
    hash: (password) =>
      inTurn(async () => {
        const salt = randomBytes(16);
        return encode(salt, await derive(password, salt, now), now);
      }),
    async verify(password, stored, isKnown = false) {
      const { salt, key, cost } = decode(stored ?? nobody);
      const derived = await inTurn(() => derive(password, salt, cost), isKnown);
      return timingSafeEqual(derived, key) && stored !== null;
    },
  };
}

function createTurns({ atOnce, waiting }: PasswordsConfig) {
  let running = 0;
  const queues: { known: (() => void)[]; others: (() => void)[] } = { known: [], others: [] };
  let wasKnown = false;

  /** By turns: a flood from everywhere holds up nobody who was here before, and no member everybody else. */
  function next(): (() => void) | undefined {
    const { known, others } = queues;
    wasKnown = known.length > 0 && (!wasKnown || others.length === 0);
    return (wasKnown ? known : others).shift();
  }

  return async <T>(work: () => Promise<T>, isKnown = false): Promise<T> => {
    const queue = isKnown ? queues.known : queues.others;
    if (running >= atOnce) {
      if (queue.length >= waiting) throw new WebvirtError('too-many-requests', undefined, { retryAfterMs: 2000 });
      await new Promise<void>((resolve) => queue.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      // The place is handed on, not freed and taken again: nobody who comes in between can slip past the queue.
      const then = next();
      if (then === undefined) running -= 1;
      else then();
    }
  };
}

function derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  const options = { ...cost, maxmem: 256 * cost.N * cost.r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function encode(salt: Buffer, key: Buffer, { N, r, p }: Cost): string {
  return `scrypt$${N}$${r}$${p}$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

function decode(stored: string): { salt: Buffer; key: Buffer; cost: Cost } {
  const match = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]+)\$([\w-]+)$/.exec(stored);
  if (match === null) throw new Error('a password hash that is not of ours');
  const [N, r, p] = match.slice(1, 4).map(Number);
  const key = Buffer.from(match[5]!, 'base64url');
  if (key.length !== KEY_BYTES) throw new Error('a password hash of another length');
  return { salt: Buffer.from(match[4]!, 'base64url'), key, cost: { N: N!, r: r!, p: p! } };
}
