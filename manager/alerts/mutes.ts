import type { Bus } from '../bus/bus.ts';
import type { RuleStore } from '../store/ports.ts';
import type { Engine } from './engine.ts';
import type { AlertLog } from './ports.ts';

const LONGEST_TIMER_MS = 60_000;

export interface Mutes {
  start(): void;
  stop(): void;
  /** Looks again when the next one ends. */
  look(): void;
  /** False: another manager looks after the rules, and ends what is muted. */
  lead(is: boolean): void;
}

/** Ends what was muted for a time. What still fires then is told: whoever muted it has not seen it end. */
export function createMutes(deps: {
  rules: Pick<RuleStore, 'list' | 'put'>;
  engine: Pick<Engine, 'put' | 'tell'>;
  bus: Bus;
  log: AlertLog;
  nowMs: () => number;
}): Mutes {
  const { rules, engine, bus, log, nowMs } = deps;
  let timer: NodeJS.Timeout | undefined;
  let stopped = true;
  let leads = true;

  function endDue(): number {
    let nextMs = nowMs() + LONGEST_TIMER_MS;
    for (const rule of rules.list()) {
      const until = rule.mutedUntilMs ?? null;
      if (until === null) continue;
      if (until > nowMs()) {
        nextMs = Math.min(nextMs, until);
        continue;
      }
      const loud = { ...rule, mutedUntilMs: null };
      rules.put(loud);
      engine.put(loud);
      engine.tell(rule.id, (watch, clocks) => watch.again(clocks));
      bus.emit('rule', { id: rule.id });
    }
    return nextMs;
  }

  function look(): void {
    clearTimeout(timer);
    if (stopped || !leads) return;
    let nextMs = nowMs() + LONGEST_TIMER_MS;
    try {
      nextMs = endDue();
    } catch (error) {
      log.error('what was muted cannot be looked at now', { alert: 'waiting', error: String(error) });
    }
    timer = setTimeout(look, Math.max(20, nextMs - nowMs()));
    timer.unref();
  }

  return {
    start() {
      stopped = false;
      look();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    look,
    lead(is) {
      leads = is;
      look();
    },
  };
}
