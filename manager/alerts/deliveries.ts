import { randomUUID } from 'node:crypto';
import type { RuleEvent } from '../../common/model/rule.ts';
import type { Bus } from '../bus/bus.ts';
import type { AlertNotice, DeliveryStore, DestinationStore, StoredDelivery, StoredRule } from '../store/ports.ts';
import { DeliveryError } from './delivery-error.ts';
import { conditionText } from './notice-text.ts';
import type { AlertLog } from './ports.ts';
import type { Send } from './send.ts';

export interface DeliveryConfig {
  firstRetryMs: number;
  longestRetryMs: number;
  /** A message that could not be delivered for so long is given up. */
  giveUpMs: number;
}

export const DELIVERY_DEFAULTS: DeliveryConfig = {
  firstRetryMs: 5_000,
  longestRetryMs: 3_600_000,
  giveUpMs: 86_400_000,
};

export interface DeliveryDeps {
  deliveries: DeliveryStore;
  destinations: DestinationStore;
  send: Send;
  bus: Bus;
  log: AlertLog;
  groupName(groupBy: string | null, group: string | null): string | null;
  nowMs: () => number;
  random?: () => number;
}

export interface Deliveries {
  /** The messages that an event causes; the caller writes them together with the event. */
  of(rule: StoredRule, event: RuleEvent): StoredDelivery[];
  /** Something new waits, or may be tried anew. */
  wake(): void;
  start(): void;
  stop(): Promise<void>;
}

const LONGEST_TIMER_MS = 60_000;

/** Sends what waits: one after another to each destination, which never waits for another. */
export function createDeliveries(config: DeliveryConfig, deps: DeliveryDeps): Deliveries {
  const { deliveries, destinations, log, nowMs } = deps;
  const random = deps.random ?? Math.random;
  /** Destinations at work. After a failure the next message waits as long as the one that failed. */
  const working = new Map<string, Promise<void>>();
  const failures = new Map<string, { inRow: number; untilMs: number }>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = true;

  function of(rule: StoredRule, event: RuleEvent): StoredDelivery[] {
    if (event.what === 'held-quiet' || (event.what === 'ended' && !rule.tellEnd)) return [];
    const notice: AlertNotice = {
      ...{ what: event.what, rule: rule.id, ruleName: rule.name, severity: rule.severity },
      ...{ condition: conditionText(rule), groupBy: rule.groupBy, group: event.group },
      groupName: deps.groupName(rule.groupBy, event.group),
      ...{ count: event.count, tsMs: event.tsMs, line: event.line, message: event.message },
    };
    return rule.destinations.flatMap((id) => {
      const destination = destinations.get(id);
      if (destination === null) return [];
      return [
        {
          ...{ id: randomUUID(), rule: rule.id, ruleName: rule.name, event: event.id },
          ...{ destination: id, destinationName: destination.name, state: 'waiting' as const, tries: 0 },
          ...{ createdMs: nowMs(), endedMs: null, nextTryMs: nowMs(), error: null, notice },
        },
      ];
    });
  }

  /** Grows with each failure in a row; never in step with other managers or messages. */
  function pauseMs(inRow: number): number {
    const most = Math.min(config.longestRetryMs, config.firstRetryMs * 2 ** Math.min(inRow - 1, 20));
    return Math.round(most * (0.5 + random() / 2));
  }

  function settle(delivery: StoredDelivery, state: 'sent' | 'failed', error: string | null): void {
    deliveries.update({ ...delivery, state, error, endedMs: nowMs(), nextTryMs: null });
    const fields = { delivery: delivery.id, rule: delivery.rule, destination: delivery.destinationName };
    if (state === 'sent') log.info('a message was delivered', { alert: 'delivered', ...fields, tries: delivery.tries });
    else
      log.error('a message was not delivered', { alert: 'undelivered', ...fields, tries: delivery.tries, why: error });
  }

  async function attempt(delivery: StoredDelivery): Promise<void> {
    const tried = { ...delivery, tries: delivery.tries + 1 };
    const destination = destinations.get(delivery.destination);
    if (destination === null) return settle(delivery, 'failed', 'The destination was removed.');
    try {
      await deps.send({ id: delivery.id, destination, notice: delivery.notice });
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
      if (tried.tries === 1)
        log.warn('a message is tried again', { alert: 'retry', delivery: delivery.id, rule: delivery.rule, why: said });
    }
  }

  async function work(destination: string): Promise<void> {
    while (!stopped && (failures.get(destination)?.untilMs ?? 0) <= nowMs()) {
      const [next] = deliveries.waiting(destination, 1);
      if (next === undefined || (next.nextTryMs ?? 0) > nowMs()) return;
      await attempt(next);
      deps.bus.emit('delivery', { id: next.id });
    }
  }

  function look(): void {
    clearTimeout(timer);
    if (stopped) return;
    let nextMs = nowMs() + LONGEST_TIMER_MS;
    try {
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
    of,
    wake: look,
    start() {
      stopped = false;
      look();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await Promise.all(working.values());
    },
  };
}
