import { randomUUID } from 'node:crypto';
import type { RuleEvent } from '../../common/model/rule.ts';
import type { RuleStore, StoredDelivery, StoredRule, WatchWrite } from '../store/ports.ts';
import type { RuleTable } from './rule-table.ts';
import type { RuleWatch } from './rule-watch.ts';
import type { Happening } from './window.ts';

/** An event that is on the disk, with the rule it is of. */
export interface Told {
  rule: StoredRule;
  event: RuleEvent;
}

export interface Writer {
  add(watch: RuleWatch, happenings: readonly Happening[]): void;
  /** True when there is something to be told. */
  isUrgent(): boolean;
  /** Writes what happened, what was counted and how far it was looked, as one transaction. Throws what SQLite says. */
  save(): void;
  saveAfter(ms: number): void;
  /** Lets go of what is not written. */
  drop(): void;
  forget(rule: string): void;
}

const LEAST_UP_MS = 1_000;

export function createWriter(deps: {
  rules: Pick<RuleStore, 'write'>;
  table: RuleTable;
  /** The messages that events cause, new ones and waiting ones that tell of them too. */
  deliveriesOf(told: readonly Told[]): StoredDelivery[];
  onWritten(told: Told[]): void;
  upMs(): number;
  nowMs: () => number;
  monotonicMs: () => number;
}): Writer {
  let waiting: { watch: RuleWatch; event: RuleEvent }[] = [];
  const savedAt = new Map<RuleWatch, number>();
  let savedMs = deps.monotonicMs();
  let savedUpMs = deps.upMs();

  function add(watch: RuleWatch, happenings: readonly Happening[]): void {
    for (const one of happenings) {
      const { id: rule, name: ruleName } = watch.rule;
      waiting.push({ watch, event: { id: randomUUID(), rule, ruleName, ...one, tsMs: Math.round(one.tsMs) } });
      if (one.what === 'fired') watch.lastFiredMs = Math.max(watch.lastFiredMs ?? 0, Math.round(one.tsMs));
    }
  }

  function save(): void {
    const told = waiting
      .filter(({ watch }) => deps.table.has(watch))
      .map(({ watch, event }) => ({ rule: watch.rule, event }));
    const moved = deps.table
      .all()
      .filter((watch) => savedAt.get(watch) !== watch.position || watch.watches.hasChanges());
    const watches: WatchWrite[] = moved.flatMap((watch) =>
      watch.watches.takeChanges().map((change) => ({
        ...{ rule: watch.rule.id, group: change.group },
        doc: change.watch === null ? null : JSON.stringify(change.watch),
      })),
    );
    savedMs = deps.monotonicMs();
    waiting = [];
    const upMs = deps.upMs();
    if (moved.length === 0 && Math.abs(upMs - savedUpMs) < LEAST_UP_MS) return;
    deps.rules.write({
      positions: moved.map(({ rule, position, lastFiredMs, floor, reached }) => ({
        ...{ rule: rule.id, position, lastFiredMs },
        places: reached.length === 0 ? null : { floor, reached: [...reached] },
      })),
      watches,
      events: told.map(({ event }) => event),
      deliveries: deps.deliveriesOf(told),
      upMs,
    });
    savedUpMs = upMs;
    for (const watch of moved) savedAt.set(watch, watch.position);
    for (const watch of savedAt.keys()) if (!deps.table.has(watch)) savedAt.delete(watch);
    if (told.length > 0) deps.onWritten(told);
  }

  return {
    add,
    isUrgent: () => waiting.length > 0,
    save,
    saveAfter(ms) {
      if (deps.monotonicMs() - savedMs >= ms) save();
    },
    drop() {
      waiting = [];
      savedAt.clear();
    },
    forget(rule) {
      waiting = waiting.filter(({ watch }) => watch.rule.id !== rule);
    },
  };
}
