/** Where it is written, for all managers, which of them leads: a store that they share, and that decides by quorum. */
export interface LeadStore {
  /** True when this owner has it for `ttlMs` from now on; false when another has. Rejects when that cannot be known. */
  hold(owner: string, ttlMs: number): Promise<boolean>;
  /** Gives it up, if this owner has it. */
  release(owner: string): Promise<void>;
}

export interface HoldConfig {
  owner: string;
  /** So long after its last word the store gives it to another. */
  ttlMs: number;
  /** So long before that this manager ends by itself: what it is telling then must be told before another begins. */
  marginMs: number;
  everyMs: number;
  /** A store that has not answered for so long is asked again. */
  limitMs: number;
}

export const HOLD_DEFAULTS = { ttlMs: 8_000, marginMs: 3_000, everyMs: 2_000, limitMs: 2_000 };
const RETRY_MS = 300;

/** This manager's hold of the lead in the store. */
export interface Hold {
  start(): void;
  stop(): Promise<void>;
  /** False from the moment on at which it could not be renewed in time, measured by the steady clock of this machine. */
  readonly isOurs: boolean;
  /** Asks the store now: what was true when we last asked may be long ago for a machine that stood still meanwhile. */
  confirm(): Promise<boolean>;
}

/**
 * Renews the hold and knows when it ends without being told: it counts from the moment at which it was asked for, so that
 * it ends here before it ends in the store, however late the answer comes.
 */
export function createHold(config: HoldConfig, deps: { store: LeadStore; onChange(isOurs: boolean): void }): Hold {
  const { store } = deps;
  const { owner, ttlMs, marginMs, everyMs, limitMs } = config;
  let untilMs = -Infinity;
  let wasOurs = false;
  let timer: NodeJS.Timeout | undefined;
  let lapse: NodeJS.Timeout | undefined;
  let stopped = false;

  const isOurs = () => !stopped && performance.now() < untilMs;

  function settle(): void {
    clearTimeout(lapse);
    const is = isOurs();
    if (is) lapse = setTimeout(settle, untilMs - performance.now() + 1).unref();
    if (is === wasOurs || stopped) return;
    wasOurs = is;
    deps.onChange(is);
  }

  /** Rejects when the store does not say it in time. */
  async function ask(): Promise<void> {
    const askedMs = performance.now();
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      limit = setTimeout(() => reject(new Error('the store does not answer')), limitMs);
    });
    try {
      const is = await Promise.race([store.hold(owner, ttlMs), late]);
      untilMs = is ? Math.max(untilMs, askedMs + ttlMs - marginMs) : -Infinity;
    } finally {
      clearTimeout(limit);
      settle();
    }
  }

  async function look(): Promise<void> {
    const isKnown = await ask().then(
      () => true,
      () => false,
    );
    if (!stopped) timer = setTimeout(() => void look(), isKnown ? everyMs : Math.min(RETRY_MS, everyMs)).unref();
  }

  return {
    start: () => void look(),
    async stop() {
      const had = isOurs();
      stopped = true;
      clearTimeout(timer);
      clearTimeout(lapse);
      if (had) await store.release(owner).catch(() => undefined);
    },
    get isOurs() {
      return isOurs();
    },
    async confirm() {
      await ask().catch(() => undefined);
      return isOurs();
    },
  };
}
