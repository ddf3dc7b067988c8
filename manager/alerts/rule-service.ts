import { randomUUID } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import type { Firing, Rule, RuleDraft, RuleEvent } from '../../common/model/rule.ts';
import type { Bus } from '../bus/bus.ts';
import type { DestinationStore, RuleStore, StoredRule } from '../store/ports.ts';
import type { Engine } from './engine.ts';
import { meaningOf } from './rule-table.ts';
import { createChannel } from './rule-watch.ts';

export const LIMIT_RULES = 500;

export interface RuleService {
  list(): Rule[];
  /** Throws `not-found`. */
  get(id: string): Rule;
  /** Throws `bad-query`, `bad-request` for a destination that does not exist, `no-room` beyond LIMIT_RULES. */
  create(draft: RuleDraft, owner: string): Rule;
  update(id: string, draft: RuleDraft): Rule;
  remove(id: string): void;
  /** Takes a rule as another manager wrote it; null: it was removed there. What cannot be read here is refused: `bad-query`. */
  adopt(id: string, rule: StoredRule | null): void;
  /** Nobody is told for so long; 0: they are told again, and of what it fires for. Throws `not-found`. */
  mute(id: string, forMs: number): Rule;
  events(options: { rule?: string; limit: number; before?: string }): RuleEvent[];
}

export function createRuleService(deps: {
  rules: RuleStore;
  destinations: Pick<DestinationStore, 'get'>;
  engine: Engine;
  bus: Bus;
  /** A rule was muted, or is no more. */
  onMuted(): void;
  nowMs: () => number;
}): RuleService {
  const { rules, engine } = deps;
  const find = (id: string): StoredRule => {
    const rule = rules.list().find((one) => one.id === id);
    if (rule === undefined) throw new WebvirtError('not-found', 'There is no such rule; it may have been removed.');
    return rule;
  };

  function check(draft: RuleDraft): void {
    createChannel(draft.query);
    for (const id of draft.destinations)
      if (deps.destinations.get(id) === null)
        throw new WebvirtError('bad-request', `body.destinations: there is no destination ${id}`);
  }

  function present(rule: StoredRule): Rule {
    const watch = engine.table.get(rule.id);
    const { upMs } = engine.clocks();
    const offsetMs = rule.condition.kind === 'silence' ? deps.nowMs() - upMs : 0;
    const firing: Firing[] = [];
    for (const one of watch?.watches.all() ?? []) {
      if (one.over === null) continue;
      const { group, total, line } = one;
      firing.push({ group, sinceMs: Math.round(one.sinceMs + offsetMs), count: total, line });
      if (firing.length === 1_000) break;
    }
    firing.sort((a, b) => b.sinceMs - a.sinceMs);
    return {
      ...rule,
      state: watch === null ? 'off' : firing.length > 0 ? 'firing' : 'ok',
      firing,
      mutedUntilMs: (rule.mutedUntilMs ?? 0) > deps.nowMs() ? (rule.mutedUntilMs ?? null) : null,
      lastFiredMs: watch?.lastFiredMs ?? rules.position(rule.id)?.lastFiredMs ?? null,
      overflow: watch?.watches.overflow ?? 0,
    };
  }

  function keep(rule: StoredRule): Rule {
    rules.put(rule);
    engine.put(rule);
    deps.bus.emit('rule', { id: rule.id });
    return present(rule);
  }

  const isMuted = (rule: StoredRule | null) => (rule?.mutedUntilMs ?? 0) > deps.nowMs();

  function change(before: StoredRule, rule: StoredRule): Rule {
    const { id } = rule;
    // What was counted under another meaning is of no use, and would come back at the next start.
    if (meaningOf(before) !== meaningOf(rule)) {
      const why = rule.enabled ? 'The rule was changed.' : 'The rule was switched off.';
      engine.tell(id, (watch, clocks) => watch.endAll(clocks, why));
      engine.remove(id);
      rules.forget(id);
    }
    return keep(rule);
  }

  function drop(id: string): void {
    engine.tell(id, (watch, clocks) => watch.endAll(clocks, 'The rule was removed.'));
    engine.remove(id);
    rules.remove(id);
    deps.bus.emit('rule', { id });
  }

  return {
    list: () => rules.list().map(present),
    get: (id) => present(find(id)),
    create(draft, owner) {
      check(draft);
      if (rules.list().length >= LIMIT_RULES)
        throw new WebvirtError('no-room', `There are ${LIMIT_RULES} rules already; remove one that is not needed.`);
      return keep({ ...draft, id: randomUUID(), owner, createdMs: deps.nowMs(), changedMs: deps.nowMs() });
    },
    update(id, draft) {
      check(draft);
      const before = find(id);
      return change(before, { ...before, ...draft, id, changedMs: deps.nowMs() });
    },
    remove(id) {
      find(id);
      drop(id);
    },
    adopt(id, rule) {
      const before = rules.list().find((one) => one.id === id) ?? null;
      if (rule === null) {
        if (before !== null) drop(id);
        return;
      }
      createChannel(rule.query);
      if (before === null) keep(rule);
      else change(before, rule);
      if (isMuted(before) && !isMuted(rule)) engine.tell(id, (watch, clocks) => watch.again(clocks));
      deps.onMuted();
    },
    mute(id, forMs) {
      const before = find(id);
      const wasMuted = isMuted(before);
      const muted = keep({ ...before, mutedUntilMs: forMs > 0 ? deps.nowMs() + forMs : null });
      if (wasMuted && forMs === 0) engine.tell(id, (watch, clocks) => watch.again(clocks));
      deps.onMuted();
      return muted;
    },
    events: (options) => rules.events(options),
  };
}
