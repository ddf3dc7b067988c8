import type { Delivery, RuleDraft, RuleEvent } from '../../../common/model/rule.ts';

/** A rule as it is kept. */
export interface StoredRule extends RuleDraft {
  id: string;
  owner: string;
  createdMs: number;
  changedMs: number;
  /** Until then nobody is told. Absent or null: it is not muted. */
  mutedUntilMs?: number | null;
}

/** How far a rule has come: arrival number of the last line it has looked at, and when it fired last. */
export interface RulePosition {
  rule: string;
  position: number;
  lastFiredMs: number | null;
  /** In a store that several managers share: where it began, and the last number of each of them since. */
  places?: { floor: number; reached: number[] } | null;
}

/** What a rule counts for one group, as text; null: nothing is counted for it any more. */
export interface WatchWrite {
  rule: string;
  group: string | null;
  doc: string | null;
}

/** What happened, and how far it was looked: one transaction, so that nothing is told twice or forgotten. */
export interface AlertWrite {
  positions: RulePosition[];
  watches: WatchWrite[];
  events: RuleEvent[];
  /** New ones, and waiting ones that tell of more now. */
  deliveries: StoredDelivery[];
  /** How long this manager has been watching, over all its starts. */
  upMs: number;
}

export interface RuleStore {
  list(): StoredRule[];
  put(rule: StoredRule): void;
  /** With what it counted; its history stays. */
  remove(id: string): void;
  position(id: string): RulePosition | null;
  watches(id: string): { group: string | null; doc: string }[];
  /** Forgets what a rule counted. */
  forget(id: string): void;
  write(write: AlertWrite): void;
  upMs(): number;
  /** Newest first. `before`: id of an event. */
  events(options: { rule?: string; limit: number; before?: string }): RuleEvent[];
}

/** Where people are told, with what must not leave: address of a hook and key. */
export interface StoredDestination {
  id: string;
  kind: 'email' | 'webhook' | 'chat';
  name: string;
  to: string[];
  url: string | null;
  template: string;
  secret: string | null;
  /** What happens within a few seconds comes as one message; false: each event apart. Absent in old ones: together. */
  together?: boolean;
  owner: string;
  createdMs: number;
}

export interface DestinationStore {
  list(): StoredDestination[];
  get(id: string): StoredDestination | null;
  put(destination: StoredDestination): void;
  remove(id: string): boolean;
}

/** What a destination is told. */
export interface AlertNotice {
  what: 'fired' | 'ended' | 'test';
  rule: string;
  ruleName: string;
  severity: 'info' | 'warning' | 'critical';
  /** What the rule looks for, in words. */
  condition: string;
  groupBy: string | null;
  group: string | null;
  /** Name of the group for people: an instance's name instead of its UUID. */
  groupName: string | null;
  count: number;
  tsMs: number;
  line: string | null;
  message: string | null;
}

export interface GatheredRule {
  id: string;
  name: string;
  severity: AlertNotice['severity'];
  groupBy: string | null;
  /** Events of it. */
  fired: number;
  ended: number;
}

/** What a message tells of that stands for several events. */
export interface Gathered {
  fired: number;
  ended: number;
  /** Lines that counted, of all that fired. */
  lines: number;
  /** All rules of them, the one that was first before the others. */
  rules: GatheredRule[];
  /** Those that are named: what fired before what ended, the worst first. */
  top: AlertNotice[];
}

export interface StoredDelivery extends Delivery {
  /** The first event of it. */
  notice: AlertNotice;
  /** Absent while it tells of one event alone. */
  gathered?: Gathered;
}

export interface DeliveryStore {
  get(id: string): StoredDelivery | null;
  /** Newest first. */
  list(options: { limit: number; state?: string; rule?: string; before?: string }): StoredDelivery[];
  /** Those to be tried, the ones that are due first. */
  waiting(destination: string, limit: number): StoredDelivery[];
  /** Destinations for which something waits, and when the first of it is due. */
  due(): { destination: string; nextTryMs: number }[];
  countWaiting(): number;
  update(delivery: StoredDelivery): void;
}
