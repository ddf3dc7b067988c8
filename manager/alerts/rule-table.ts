import type { RuleStore, StoredRule } from '../store/ports.ts';
import type { AlertLog } from './ports.ts';
import { type Channel, channelKey, createChannel, createRuleWatch, type RuleWatch } from './rule-watch.ts';
import type { Watch } from './window.ts';

/** The rules that are on, by what they look at. */
export interface RuleTable {
  /** Reads all from the store: with what they counted, as it was kept last. */
  reload(): RuleWatch[];
  /** Null when the rule is off. A new one looks from `position` on; -1: from now on, whatever that is. */
  put(rule: StoredRule, position: number): RuleWatch | null;
  remove(id: string): void;
  has(watch: RuleWatch): boolean;
  get(id: string): RuleWatch | null;
  all(): RuleWatch[];
  channels(): readonly { channel: Channel; watches: readonly RuleWatch[] }[];
  size(): number;
}

export function createRuleTable(store: RuleStore, log: AlertLog): RuleTable {
  const live = new Map<string, RuleWatch>();
  let channels: { channel: Channel; watches: RuleWatch[] }[] = [];

  function regroup(): void {
    const known = new Map(channels.map(({ channel }) => [channel.key, channel]));
    const next = new Map<string, { channel: Channel; watches: RuleWatch[] }>();
    for (const watch of live.values()) {
      const key = channelKey(watch.rule.query);
      const group = next.get(key);
      if (group !== undefined) group.watches.push(watch);
      else next.set(key, { channel: known.get(key) ?? createChannel(watch.rule.query), watches: [watch] });
    }
    channels = [...next.values()];
  }

  function readWatches(rule: StoredRule): Watch[] {
    return store.watches(rule.id).map(({ doc }) => JSON.parse(doc) as Watch);
  }

  function readable(rule: StoredRule): boolean {
    try {
      createChannel(rule.query);
      return true;
    } catch (error) {
      // Its filter was checked when it was saved; a later program may read filters differently.
      log.error('a rule cannot be read and does nothing', { alert: 'unreadable', rule: rule.id, error: String(error) });
      return false;
    }
  }

  return {
    reload() {
      live.clear();
      for (const rule of store.list()) {
        if (!rule.enabled || !readable(rule)) continue;
        const kept = store.position(rule.id) ?? { position: -1, lastFiredMs: null };
        live.set(rule.id, createRuleWatch(rule, { ...kept, watches: readWatches(rule) }));
      }
      regroup();
      return [...live.values()];
    },
    put(rule, position) {
      const before = live.get(rule.id);
      live.delete(rule.id);
      const lastFiredMs = before?.lastFiredMs ?? store.position(rule.id)?.lastFiredMs ?? null;
      if (!rule.enabled) {
        regroup();
        return null;
      }
      const goesOn = before !== undefined && meaningOf(before.rule) === meaningOf(rule);
      const watches = goesOn ? [...before.watches.all()] : [];
      const { position: at, floor, reached } = before ?? { position, floor: position, reached: [] };
      const kept = goesOn ? { position: at, places: { floor, reached } } : { position };
      const watch = createRuleWatch(rule, { ...kept, lastFiredMs, watches });
      live.set(rule.id, watch);
      regroup();
      return watch;
    },
    remove(id) {
      live.delete(id);
      regroup();
    },
    has: (watch) => live.get(watch.rule.id) === watch,
    get: (id) => live.get(id) ?? null,
    all: () => [...live.values()],
    channels: () => channels,
    size: () => live.size,
  };
}

/** What was counted means the same for two rules that are equal in this. */
export function meaningOf({ query, condition, groupBy, enabled }: StoredRule): string {
  return JSON.stringify([channelKey(query), condition, groupBy, enabled]);
}
