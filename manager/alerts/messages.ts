import { randomUUID } from 'node:crypto';
import type { RuleEvent } from '../../common/model/rule.ts';
import type {
  AlertNotice,
  DeliveryStore,
  DestinationStore,
  StoredDelivery,
  StoredDestination,
  StoredRule,
} from '../store/ports.ts';
import { gather, nothingGathered } from './gather.ts';
import { conditionText } from './notice-text.ts';

export interface GatherConfig {
  /** What happens within this time comes as one message to each destination. 0: each event is a message. */
  gatherMs: number;
  /** While one message follows the other it is gathered for longer, up to this. */
  gatherMostMs: number;
}

export interface Messages {
  /**
   * The messages that events cause, new ones and waiting ones into which they were put. The caller writes them in one
   * transaction with the events: until then nothing has changed.
   */
  of(told: readonly { rule: StoredRule; event: RuleEvent }[]): StoredDelivery[];
  /** Nothing more is put into this message: what it tells must be the same at every try. */
  close(delivery: StoredDelivery): void;
  /** The same of all that wait: another manager may have tried them. */
  closeAll(): void;
}

/** Makes messages out of events: a thousand groups that fire at once are one message to each destination. */
export function createMessages(
  config: GatherConfig,
  deps: {
    deliveries: Pick<DeliveryStore, 'get'>;
    destinations: Pick<DestinationStore, 'get'>;
    /** Name of a group for people; null: it has none. */
    groupName(groupBy: string | null, group: string | null): string | null;
    nowMs: () => number;
  },
): Messages {
  const { nowMs } = deps;
  /** By destination: the message that still takes events in. After a restart there is none, and what waits stays as it is. */
  const open = new Map<string, { id: string; windowMs: number }>();
  /** By destination: what the last message was. */
  const last = new Map<string, { windowMs: number; closedMs: number; rules: Set<string> }>();

  function noticeOf(rule: StoredRule, event: RuleEvent): AlertNotice | null {
    const { what, group, count, tsMs, line, message } = event;
    if ((rule.mutedUntilMs ?? 0) > nowMs()) return null;
    if (what === 'held-quiet' || (what === 'ended' && !rule.tellEnd)) return null;
    return {
      ...{ what, rule: rule.id, ruleName: rule.name, severity: rule.severity, condition: conditionText(rule) },
      ...{ groupBy: rule.groupBy, group, groupName: deps.groupName(rule.groupBy, group), count, tsMs, line, message },
    };
  }

  /** Something critical that the last message did not tell of waits the short time, whatever else goes on. */
  function isUrgent({ id }: StoredDestination, { severity, what, rule }: AlertNotice): boolean {
    return severity === 'critical' && what === 'fired' && last.get(id)?.rules.has(rule) !== true;
  }

  function windowMs(destination: StoredDestination, notice: AlertNotice): number {
    const before = last.get(destination.id);
    const isStorm = before !== undefined && nowMs() - before.closedMs < config.gatherMostMs;
    if (!isStorm || isUrgent(destination, notice)) return config.gatherMs;
    return Math.max(config.gatherMs, Math.min(config.gatherMostMs, before.windowMs * 2));
  }

  function begin(destination: StoredDestination, notice: AlertNotice, event: string): StoredDelivery {
    const { id, name, together } = destination;
    const isGathered = config.gatherMs > 0 && together !== false;
    const made: StoredDelivery = {
      ...{ id: randomUUID(), rule: notice.rule, ruleName: notice.ruleName, event, events: 1, otherRules: 0 },
      ...{ destination: id, destinationName: name, state: 'waiting', tries: 0, createdMs: nowMs(), endedMs: null },
      ...{ nextTryMs: nowMs(), error: null, notice },
    };
    if (!isGathered) return made;
    const window = windowMs(destination, notice);
    open.set(id, { id: made.id, windowMs: window });
    return { ...made, nextTryMs: nowMs() + window };
  }

  function extend(before: StoredDelivery, destination: StoredDestination, notice: AlertNotice): StoredDelivery {
    const gathered = before.gathered ?? nothingGathered();
    if (before.gathered === undefined) gather(gathered, before.notice);
    gather(gathered, notice);
    const soonMs = isUrgent(destination, notice) ? nowMs() + config.gatherMs : Infinity;
    return {
      ...{ ...before, gathered, events: gathered.fired + gathered.ended, otherRules: gathered.rules.length - 1 },
      nextTryMs: Math.min(before.nextTryMs ?? nowMs(), soonMs),
    };
  }

  return {
    of(told) {
      const changed = new Map<string, StoredDelivery>();
      const known = new Map<string, StoredDestination | null>();
      const destinationOf = (id: string) => {
        if (!known.has(id)) known.set(id, deps.destinations.get(id));
        return known.get(id) ?? null;
      };
      for (const { rule, event } of told) {
        const notice = noticeOf(rule, event);
        if (notice === null) continue;
        for (const destination of rule.destinations.map(destinationOf)) {
          if (destination === null) continue;
          const openId = destination.together === false ? undefined : open.get(destination.id)?.id;
          const before = openId === undefined ? null : (changed.get(openId) ?? deps.deliveries.get(openId));
          const takesMore = before !== null && before.state === 'waiting' && before.tries === 0;
          const message = takesMore ? extend(before, destination, notice) : begin(destination, notice, event.id);
          changed.set(message.id, message);
        }
      }
      return [...changed.values()];
    },
    closeAll: () => open.clear(),
    close({ id, destination, rule, gathered }) {
      const opened = open.get(destination);
      if (opened?.id !== id) return;
      open.delete(destination);
      const rules = new Set([rule, ...(gathered?.rules ?? []).map((one) => one.id)]);
      last.set(destination, { windowMs: opened.windowMs, closedMs: nowMs(), rules });
    },
  };
}
