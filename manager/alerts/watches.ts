import {
  advance,
  type Happening,
  isIdle,
  newWatch,
  observe,
  rewind,
  type Sighting,
  type Watch,
  type WindowRule,
} from './window.ts';

/** Groups that one rule counts apart. */
export const LIMIT_GROUPS = 1_000;
/** What comes of further ones is counted together under this name. */
export const OTHERS = '(others)';
const FORGET_LEAST_MS = 24 * 3_600_000;
const FORGET_FACTOR = 10;
/** After a full round without a free place the groups are not looked through again for so many lines. */
const EVICT_EVERY = 1_000;

/** The groups of one rule. */
export interface Watches {
  observe(group: string | null, tsMs: number, sighting: Sighting): Happening[];
  advance(nowMs: number): Happening[];
  /** Goes back with a clock that was set back. */
  rewind(nowMs: number): void;
  /** Silence: the groups of which lines are expected. New ones are waited for from now on, others are let go. */
  expect(groups: readonly (string | null)[], nowMs: number): Happening[];
  /** Silence of groups that nobody lists: those that have been silent for very long are let go. */
  forgetLost(nowMs: number): Happening[];
  /** Tells the end of all that was told, for a reason that is not in the lines, and forgets everything. */
  endAll(nowMs: number, why: string): Happening[];
  /** Tells anew what was told and still holds. */
  again(nowMs: number): Happening[];
  all(): Iterable<Watch>;
  hasChanges(): boolean;
  /** What changed since it was asked last; null for a group that is gone. */
  takeChanges(): { group: string | null; watch: Watch | null }[];
  /** Lines that were counted under OTHERS. */
  readonly overflow: number;
}

/** `kept`: as they were kept before. */
export function createWatches(rule: WindowRule, kept: readonly Watch[] = [], limit = LIMIT_GROUPS): Watches {
  const groups = new Map<string | null, Watch>(kept.map((watch) => [watch.group, watch]));
  const changed = new Set<string | null>();
  let overflow = 0;
  let sinceEviction = EVICT_EVERY;

  function remove(group: string | null): void {
    groups.delete(group);
    changed.add(group);
  }

  function makeRoom(nowMs: number): boolean {
    sinceEviction += 1;
    if (sinceEviction < EVICT_EVERY) return false;
    for (const [group, watch] of groups) if (isIdle(watch, rule, nowMs)) remove(group);
    if (groups.size < limit) return true;
    sinceEviction = 0;
    return false;
  }

  function watchOf(group: string | null, tsMs: number): Watch {
    const known = groups.get(group);
    if (known !== undefined) return known;
    if (group !== OTHERS && groups.size >= limit && !makeRoom(tsMs)) {
      overflow += 1;
      return watchOf(OTHERS, tsMs);
    }
    const made = newWatch(group, tsMs);
    groups.set(group, made);
    return made;
  }

  /** A value of a field that never comes again would be silent for ever. */
  function isForgotten({ lastMs }: Watch, nowMs: number): boolean {
    const { condition } = rule;
    if (condition.kind !== 'silence') return false;
    return lastMs + Math.max(FORGET_LEAST_MS, condition.withinMs * FORGET_FACTOR) <= nowMs;
  }

  return {
    observe(group, tsMs, sighting) {
      const watch = watchOf(group, tsMs);
      changed.add(watch.group);
      return observe(watch, rule, tsMs, sighting);
    },
    advance(nowMs) {
      const told: Happening[] = [];
      for (const watch of groups.values()) {
        const here = advance(watch, rule, nowMs);
        if (here.length === 0) continue;
        changed.add(watch.group);
        told.push(...here);
      }
      return told;
    },
    rewind(nowMs) {
      for (const watch of groups.values()) if (rewind(watch, rule, nowMs)) changed.add(watch.group);
    },
    expect(expected, nowMs) {
      const told: Happening[] = [];
      const wanted = new Set(expected);
      for (const group of expected) {
        if (groups.has(group) || groups.size >= limit) continue;
        groups.set(group, newWatch(group, nowMs));
        changed.add(group);
      }
      for (const [group, watch] of groups) {
        if (wanted.has(group)) continue;
        if (watch.over === 'fired') told.push({ ...ended(watch), tsMs: nowMs });
        remove(group);
      }
      return told;
    },
    forgetLost(nowMs) {
      const told: Happening[] = [];
      for (const [group, watch] of groups) {
        if (!isForgotten(watch, nowMs)) continue;
        if (watch.over === 'fired') told.push({ ...ended(watch), tsMs: nowMs });
        remove(group);
      }
      return told;
    },
    endAll(nowMs, why) {
      const told: Happening[] = [];
      for (const [group, watch] of groups) {
        if (watch.over === 'fired') told.push({ ...ended(watch), tsMs: nowMs, line: null, message: why });
        remove(group);
      }
      return told;
    },
    again(nowMs) {
      const holding = [...groups.values()].filter(({ over }) => over === 'fired');
      return holding.map((watch) => ({ ...ended(watch), what: 'fired', tsMs: nowMs }));
    },
    all: () => groups.values(),
    hasChanges: () => changed.size > 0,
    takeChanges() {
      const list = [...changed].map((group) => ({ group, watch: groups.get(group) ?? null }));
      changed.clear();
      return list;
    },
    get overflow() {
      return overflow;
    },
  };

  function ended({ group, total, line, message, lastMs }: Watch): Happening {
    return { what: 'ended', group, tsMs: lastMs, count: total, line, message };
  }
}
