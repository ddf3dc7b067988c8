import type { RuleDraft } from '../../common/model/rule.ts';
import type { StateStore } from '../store/ports.ts';
import { createDeliveries, DELIVERY_DEFAULTS, type DeliveryConfig } from './deliveries.ts';
import { createDestinationService, type DestinationService } from './destination-service.ts';
import { createEngine, type Engine, type EngineDeps } from './engine.ts';
import { ENGINE_DEFAULTS, type EngineConfig, type EngineStats } from './engine-config.ts';
import { createMutes } from './mutes.ts';
import { blockList } from './net-blocks.ts';
import { PREVIEW_DEFAULTS, type Preview, preview } from './preview.ts';
import { createRuleService, type RuleService } from './rule-service.ts';
import { createPost, type PostDeps } from './safe-post.ts';
import { createSend } from './send.ts';
import { createSendMail, type SmtpConfig } from './send-mail.ts';
import type { Told } from './write-events.ts';

export interface AlertsConfig {
  smtp: SmtpConfig;
  /** Networks that hooks may reach besides the open one. */
  allow: readonly string[];
  hookLimitMs: number;
  deliveries: DeliveryConfig;
  engine: EngineConfig;
}

export const ALERTS_DEFAULTS = { deliveries: DELIVERY_DEFAULTS, engine: ENGINE_DEFAULTS };
const LIMIT_HOOK_ANSWER_BYTES = 64 * 1024;
/** Lines about rules that fired in one go; the history has the others. */
const LIMIT_TOLD_LINES = 50;

export type AlertsDeps = Omit<EngineDeps, 'rules' | 'onWritten' | 'deliveriesOf' | 'nowMs' | 'monotonicMs'> & {
  state: Pick<StateStore, 'rules' | 'destinations' | 'deliveries'>;
  /** Where the console is, for links. */
  consoleUrl(): string;
  post?: PostDeps;
  /** Waited for before anybody is told: the other managers can know of it then. */
  taken?: () => Promise<unknown>;
  nowMs?: () => number;
  monotonicMs?: () => number;
};

/** What rules and deliveries came to since the start. */
export interface AlertNumbers extends EngineStats {
  events: { fired: number; ended: number; 'held-quiet': number };
  deliveries: { sent: number; failed: number; retried: number; waiting: number };
}

export interface Alerts {
  start(): void;
  stop(): Promise<void>;
  /** False: another manager looks after the rules and tells people; this one shows what that one counted. */
  lead(is: boolean): void;
  /** Before this manager ends: what was counted is kept, and nobody is told any more. Throws what SQLite says. */
  handOver(): void;
  /** What the other one counted is in the store now. */
  follow(): void;
  rules: RuleService;
  destinations: DestinationService;
  deliveries: StateStore['deliveries'];
  /** How often a draft would have fired in the last day. */
  preview(draft: RuleDraft, signal?: AbortSignal): Promise<Preview>;
  engine: Engine;
  numbers(): AlertNumbers;
}

/** Being told: rules look at every committed line, and what fires goes to people. */
export function createAlerts(config: AlertsConfig, deps: AlertsDeps): Alerts {
  const { state, bus, log } = deps;
  const nowMs = deps.nowMs ?? Date.now;
  const monotonicMs = deps.monotonicMs ?? (() => performance.now());
  const post = createPost(
    { allowed: blockList(config.allow), limitMs: config.hookLimitMs, limitAnswerBytes: LIMIT_HOOK_ANSWER_BYTES },
    deps.post,
  );
  const send = createSend({ post, mail: createSendMail(config.smtp), consoleUrl: deps.consoleUrl, nowMs });
  const nameOf = (groupBy: string | null, group: string | null) =>
    groupBy === 'instance' ? (deps.known.instances().find(({ id }) => id === group)?.name ?? null) : null;
  const deliveries = createDeliveries(config.deliveries, {
    ...{ deliveries: state.deliveries, destinations: state.destinations, send, bus, log, groupName: nameOf, nowMs },
    taken: deps.taken ?? (() => Promise.resolve()),
  });

  const events = { fired: 0, ended: 0, 'held-quiet': 0 };

  function tell(told: Told[]): void {
    for (const { event } of told) events[event.what] += 1;
    for (const { rule, event } of told.slice(0, LIMIT_TOLD_LINES)) {
      const { name, severity, groupBy } = rule;
      const { group, count, line, message, tsMs } = event;
      const fields = { alert: event.what, rule: rule.id, ruleName: name, severity, groupBy, group, count, line };
      const about = { ...fields, ...(message === null ? {} : { said: message }), at: new Date(tsMs).toISOString() };
      const place = groupBy === 'instance' && group !== null && group !== '' ? { instance: group } : {};
      const level = severity === 'critical' ? 'error' : severity === 'warning' ? 'warn' : 'info';
      if (event.what === 'fired') log[level]('a rule fired', { ...place, ...about });
      else if (event.what === 'ended') log.info('a rule is over', { ...place, ...about });
    }
    if (told.length > LIMIT_TOLD_LINES)
      log.warn('more rules fired at once than are told in lines', { alert: 'many', events: told.length });
    for (const id of new Set(told.map(({ rule }) => rule.id))) bus.emit('rule', { id });
    if (told.some(({ rule }) => rule.destinations.length > 0)) {
      bus.emit('delivery', { id: '' });
      deliveries.wake();
    }
  }

  const engine = createEngine(config.engine, {
    ...{ ...deps, rules: state.rules, nowMs, monotonicMs, onWritten: tell, deliveriesOf: deliveries.of },
  });
  const mutes = createMutes({ rules: state.rules, engine, bus, log, nowMs });
  return {
    engine,
    numbers: () => ({
      ...engine.stats(),
      events: { ...events },
      deliveries: { ...deliveries.counts(), waiting: state.deliveries.countWaiting() },
    }),
    deliveries: state.deliveries,
    rules: createRuleService({ ...state, engine, bus, onMuted: mutes.look, nowMs }),
    destinations: createDestinationService({ ...state, send, bus, onChanged: deliveries.wake, nowMs }),
    preview: (draft, signal) => preview(draft, PREVIEW_DEFAULTS, { ...deps, nowMs }, signal),
    start() {
      engine.start();
      deliveries.start();
      mutes.start();
    },
    lead(is) {
      engine.lead(is);
      deliveries.lead(is);
      mutes.lead(is);
      for (const { id } of state.rules.list()) bus.emit('rule', { id });
    },
    handOver() {
      deliveries.lead(false);
      engine.handOver();
    },
    follow: engine.follow,
    async stop() {
      mutes.stop();
      await engine.stop();
      await deliveries.stop();
    },
  };
}
