import type { Bus } from '../bus/bus.ts';
import type { DeliveryStore, DestinationStore, StoredDelivery } from '../store/ports.ts';
import { DeliveryError } from './delivery-error.ts';
import { createMessages, type GatherConfig, type Messages } from './messages.ts';
import type { AlertLog } from './ports.ts';
import type { Send } from './send.ts';

export interface DeliveryConfig extends GatherConfig {
  firstRetryMs: number;
  longestRetryMs: number;
  /** A message that could not be delivered for so long is given up. */
  giveUpMs: number;
}

export const DELIVERY_DEFAULTS: DeliveryConfig = {
  firstRetryMs: 5_000,
  longestRetryMs: 3_600_000,
  giveUpMs: 86_400_000,
  gatherMs: 5_000,
  gatherMostMs: 60_000,
};

export interface DeliveryDeps {
  deliveries: DeliveryStore;
  destinations: DestinationStore;
  send: Send;
  bus: Bus;
  log: AlertLog;
  groupName(groupBy: string | null, group: string | null): string | null;
  /** Resolves when the other managers can know of what waits: two would send it else. */
  taken?: () => Promise<unknown>;
  nowMs: () => number;
  random?: () => number;
}

export interface Deliveries {
  /** The messages that events cause; the caller writes them together with the events. */
  of: Messages['of'];
  /** Messages since the start, and tries that came to nothing but are tried again. */
  counts(): { sent: number; failed: number; retried: number };
  /** Something new waits, or may be tried anew. */
  wake(): void;
  start(): void;
  stop(): Promise<void>;
  /** False: another manager sends what waits. */
  lead(is: boolean): void;
}

const LONGEST_TIMER_MS = 60_000;
/** A wall clock that differs from the steady one by so much between two looks was set. */
const LEAST_STEP_MS = 1_000;
/** Messages of one destination that are made due when the clock was set back; the others are when it is their turn. */
const LIMIT_SHIFTED = 1_000;

/** Sends what waits: one after another to each destination, which never waits for another. */
export function createDeliveries(config: DeliveryConfig, deps: DeliveryDeps): Deliveries {
  const { deliveries, destinations, log, nowMs } = deps;
  const random = deps.random ?? Math.random;
  /** Destinations at work. After a failure the next message waits as long as the one that failed. */
  const working = new Map<string, Promise<void>>();
  const failures = new Map<string, { inRow: number; untilMs: number }>();
  const messages = createMessages(config, deps);
  const counts = { sent: 0, failed: 0, retried: 0 };
  let timer: NodeJS.Timeout | undefined;
  let looked = { wallMs: nowMs(), steadyMs: performance.now() };
  let stopped = true;
  let leads = true;

  /** Grows with each failure in a row; never in step with other managers or messages. */
  function pauseMs(inRow: number): number {
    const most = Math.min(config.longestRetryMs, config.firstRetryMs * 2 ** Math.min(inRow - 1, 20));
    return Math.round(most * (0.5 + random() / 2));
  }

  function settle(delivery: StoredDelivery, state: 'sent' | 'failed', error: string | null): void {
    deliveries.update({ ...delivery, state, error, endedMs: nowMs(), nextTryMs: null });
    counts[state] += 1;
    const fields = { delivery: delivery.id, rule: delivery.rule, destination: delivery.destinationName };
    if (state === 'sent') log.info('a message was delivered', { alert: 'delivered', ...fields, tries: delivery.tries });
    else
      log.error('a message was not delivered', { alert: 'undelivered', ...fields, tries: delivery.tries, why: error });
  }

  async function attempt(delivery: StoredDelivery): Promise<void> {
    messages.close(delivery);
    const tried = { ...delivery, tries: delivery.tries + 1 };
    const destination = destinations.get(delivery.destination);
    if (destination === null) return settle(delivery, 'failed', 'The destination was removed.');
    try {
      const { id, notice, gathered } = delivery;
      await deps.send({ id, destination, notice, gathered });
      failures.delete(destination.id);
      settle(tried, 'sent', null);
    } catch (error) {
      const said = error instanceof DeliveryError ? error.message : `It could not be sent: ${String(error)}`;
      if (error instanceof DeliveryError && error.isFinal) return settle(tried, 'failed', said);
      const inRow = (failures.get(destination.id)?.inRow ?? 0) + 1;
      const nextTryMs = nowMs() + pauseMs(Math.max(inRow, tried.tries));
      failures.set(destination.id, { inRow, untilMs: nextTryMs });
      if (nextTryMs > delivery.createdMs + config.giveUpMs) return settle(tried, 'failed', said);
      deliveries.update({ ...tried, nextTryMs, error: said });
      counts.retried += 1;
      if (tried.tries === 1)
        log.warn('a message is tried again', { alert: 'retry', delivery: delivery.id, rule: delivery.rule, why: said });
    }
  }

  async function work(destination: string): Promise<void> {
    while (!stopped && leads && (failures.get(destination)?.untilMs ?? 0) <= nowMs()) {
      await deps.taken?.();
      if (stopped || !leads) return;
      const [next] = deliveries.waiting(destination, 1);
      if (next === undefined || (next.nextTryMs ?? 0) > nowMs()) return;
      await attempt(next);
      deps.bus.emit('delivery', { id: next.id });
    }
  }

  /** The clock was set back: what was due soon would wait for as long as it was set back by. */
  function isSetBack(): boolean {
    const now = { wallMs: nowMs(), steadyMs: performance.now() };
    const stepMs = now.wallMs - looked.wallMs - (now.steadyMs - looked.steadyMs);
    looked = now;
    return stepMs < -LEAST_STEP_MS;
  }

  /** What waits is due now, or after the pause of a failure at most. */
  function makeDue(): void {
    failures.clear();
    for (const { destination } of deliveries.due())
      for (const one of deliveries.waiting(destination, LIMIT_SHIFTED)) {
        const latestMs = nowMs() + (one.tries === 0 ? 0 : config.firstRetryMs);
        if ((one.nextTryMs ?? 0) > latestMs) deliveries.update({ ...one, nextTryMs: latestMs });
      }
  }

  function look(): void {
    clearTimeout(timer);
    if (stopped || !leads) return;
    let nextMs = nowMs() + LONGEST_TIMER_MS;
    try {
      if (isSetBack()) makeDue();
      for (const { destination, nextTryMs } of deliveries.due()) {
        if (working.has(destination)) continue;
        const dueMs = Math.max(nextTryMs, failures.get(destination)?.untilMs ?? 0);
        if (dueMs > nowMs()) nextMs = Math.min(nextMs, dueMs);
        else
          working.set(
            destination,
            work(destination)
              .catch((error) => pause(destination, error))
              .finally(() => again(destination)),
          );
      }
    } catch (error) {
      onFault(error);
    }
    timer = setTimeout(look, Math.max(50, nextMs - nowMs()));
    timer.unref();
  }

  function onFault(error: unknown): void {
    log.error('deliveries cannot be read or written now', { alert: 'waiting', error: String(error) });
  }

  /** The state file cannot be written: sending on would send the same again. */
  function pause(destination: string, error: unknown): void {
    failures.set(destination, { inRow: 1, untilMs: nowMs() + config.firstRetryMs });
    onFault(error);
  }

  function again(destination: string): void {
    working.delete(destination);
    setImmediate(look);
  }

  return {
    of: messages.of,
    counts: () => ({ ...counts }),
    wake: look,
    start() {
      stopped = false;
      // Who waited to be gathered with more is told now, and a clock that was set back meanwhile is seen by nobody.
      try {
        makeDue();
      } catch (error) {
        onFault(error);
      }
      look();
    },
    lead(is) {
      leads = is;
      messages.closeAll();
      look();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await Promise.all(working.values());
    },
  };
}
