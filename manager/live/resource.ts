import { isWebvirtError } from '../../common/errors.ts';
import { diff } from '../../common/pure/patch/diff.ts';
import type { PatchOperation } from '../../common/wire/live.ts';

/** One subscriber of a resource. `change` is called with every patch, in order, or with a whole new body. */
export interface Subscriber {
  change(patch: PatchOperation[], body: unknown): void;
}

export interface ResourceDeps {
  compute(signal: AbortSignal): Promise<unknown>;
  onError(error: unknown): void;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
}

/** A readable address that is kept up to date while anybody watches it: one computation for all of them. */
export interface Resource {
  /** The body as it is now; the first call computes it. Rejects with the route's error. */
  body(): Promise<unknown>;
  /** The body that the next patch starts from. Only after `body()` resolved. */
  current(): unknown;
  add(subscriber: Subscriber): void;
  /** Something it is made of changed: computed again at once, then at most once in `gapMs`. */
  touch(): void;
  stop(): void;
  readonly subscribers: Set<Subscriber>;
}

const RETRY_MS = 1_000;

export function createResource(gapMs: number, deps: ResourceDeps): Resource {
  const subscribers = new Set<Subscriber>();
  const gone = new AbortController();
  let value: unknown = null;
  let first: Promise<unknown> | null = null;
  let computing = false;
  let dirty = false;
  let startedMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  async function compute(): Promise<unknown> {
    computing = true;
    // Cleared before reading: what changes while we read makes it stale again.
    dirty = false;
    startedMs = deps.monotonicMs();
    try {
      return await deps.compute(gone.signal);
    } finally {
      computing = false;
    }
  }

  async function refresh(): Promise<void> {
    let waitMs = 0;
    try {
      publish(await compute());
    } catch (error) {
      if (gone.signal.aborted) return;
      // What is not there any more is shown as nothing; it may come back. Other faults keep what was known.
      if (isWebvirtError(error, 'not-found')) publish(null);
      else {
        deps.onError(error);
        dirty = true;
        waitMs = RETRY_MS;
      }
    }
    if (dirty) schedule(waitMs);
  }

  function publish(next: unknown): void {
    if (gone.signal.aborted) return;
    const patch = diff(value, next);
    if (patch.length === 0) return;
    value = next;
    for (const subscriber of subscribers) subscriber.change(patch, next);
  }

  function schedule(leastMs = 0): void {
    if (timer !== undefined || computing || gone.signal.aborted) return;
    const waitMs = Math.max(leastMs, startedMs + gapMs - deps.monotonicMs());
    const run = () => {
      timer = undefined;
      if (!computing && dirty && !gone.signal.aborted) void refresh();
    };
    // Behind the present step: a burst of events in one step is one computation.
    if (waitMs <= 0) queueMicrotask(run);
    else timer = setTimeout(run, waitMs);
  }

  return {
    subscribers,
    async body() {
      first ??= compute().then((made) => {
        value = made;
        if (dirty) schedule();
      });
      await first;
      return value;
    },
    current: () => value,
    add: (subscriber) => void subscribers.add(subscriber),
    touch() {
      dirty = true;
      schedule();
    },
    stop() {
      gone.abort();
      clearTimeout(timer);
    },
  };
}
