import Backbone from 'backbone';
import type { Line } from '../../../common/model/line.ts';
import type { Delivery, Destination, Rule, RuleCondition, RuleDraft, RuleEvent } from '../../../common/model/rule.ts';
import { byName } from './by-name.ts';
import type { Notices } from './notices.ts';

export class RuleModel extends Backbone.Model<Rule> {}
export class DestinationModel extends Backbone.Model<Destination> {}

/** All rules: those that fire first, then by name. */
export class Rules extends Backbone.Collection<RuleModel> {
  override preinitialize(): void {
    this.model = RuleModel;
    this.comparator = (a: RuleModel, b: RuleModel) =>
      Number(b.get('state') === 'firing') - Number(a.get('state') === 'firing') ||
      byName(a.get('name')!, b.get('name')!);
  }

  firing(): RuleModel[] {
    return this.filter((rule) => rule.get('state') === 'firing');
  }
}

/** How often a draft would have fired; see `POST /api/v1/rules/preview`. */
export interface RulePreview {
  times: { tsMs: number; group: string | null; count: number }[];
  fired: number;
  linesSeen: number;
  fromMs: number;
  toMs: number;
  complete: boolean;
}

export interface DestinationDraft {
  kind: Destination['kind'];
  name: string;
  to?: string[];
  url?: string;
  template?: string;
  secret?: string;
  /** False: each event is a message of its own. */
  together?: boolean;
}

/** What pages ask of the manager about rules. Everything rejects with the manager's error. */
export interface RuleCalls {
  /** `id` null: a new one. */
  save(id: string | null, draft: RuleDraft): Promise<Rule>;
  remove(id: string): Promise<void>;
  /** Nobody is told for so long; 0: from now on again. */
  mute(id: string, forMs: number): Promise<Rule>;
  preview(draft: RuleDraft): Promise<RulePreview>;
  line(id: string): Promise<Line>;
  saveDestination(id: string | null, draft: DestinationDraft): Promise<Destination>;
  removeDestination(id: string): Promise<void>;
  test(id: string): Promise<{ sent: boolean; error: string | null; tookMs: number }>;
  /** Lists that are kept in step while somebody looks. `take` gets the whole list each time. */
  /** The newest `limit` of them. */
  watchEvents(rule: string | null, limit: number, take: (events: RuleEvent[]) => void): { close(): void };
  watchDestinations(take: (destinations: Destination[]) => void): { close(): void };
  watchDeliveries(take: (deliveries: Delivery[]) => void): { close(): void };
}

export const EMPTY_DRAFT: RuleDraft = {
  ...{ name: '', enabled: true, query: { q: '' }, condition: { kind: 'lines', count: 1, withinMs: 60_000 } },
  ...{ groupBy: 'host', quietMs: 600_000, severity: 'warning', destinations: [], tellEnd: false },
};

const LIMIT_PHRASE = 120;
/** What may be looked for is near the beginning, and these patterns go back and forth over a line without an end. */
const LIMIT_LOOKED_AT = 2_000;
/** Parts of a message that differ from line to line: numbers, ids, addresses, paths with numbers, quoted names. */
const VARIABLE = /\S*\d\S*|"[^"]*"|'[^']*'/g;

/** The longest part of a message that a like line would have, too. */
function phraseOf(message: string): string {
  const parts = message
    .slice(0, LIMIT_LOOKED_AT)
    .split(/\r?\n/)[0]!
    .split(VARIABLE)
    .map((part) => part.replace(/^[\s:=,.;()[\]{}<>-]+|[\s:=,.;()[\]{}<>-]+$/g, ''));
  const longest = parts.reduce((best, part) => (part.length > best.length ? part : best), '');
  return longest.slice(0, LIMIT_PHRASE).trim();
}

/** A rule that would have been told of this line and of those that are like it. */
export function ruleDraftFromLine(line: Line): RuleDraft {
  const phrase = phraseOf(line.message);
  const isSevere = line.level === 'error' || line.level === 'warn';
  return {
    ...EMPTY_DRAFT,
    name: (phrase || `Lines of ${line.source}`).slice(0, 60),
    query: {
      q: phrase === '' ? '' : `"${phrase.replaceAll(/["\\]/g, '\\$&')}"`,
      ...(isSevere ? { level: line.level } : {}),
      source: line.source,
    },
    groupBy: line.instance === undefined ? 'host' : 'instance',
    severity: line.level === 'error' ? 'critical' : line.level === 'warn' ? 'warning' : 'info',
  };
}

const UNITS = [
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `10 min`, `1 day`, `90 s`. */
export function withinText(ms: number): string {
  for (const [unit, size] of UNITS)
    if (ms % size === 0) return `${ms / size} ${unit}${unit === 'day' && ms > size ? 's' : ''}`;
  return `${ms / 1000} s`;
}

/** `at least 5 lines within 1 min, per host`. */
export function conditionText(condition: RuleCondition, groupBy: string | null): string {
  const time = withinText(condition.withinMs);
  const what =
    condition.kind === 'silence'
      ? `no line in ${time}`
      : condition.count === 1
        ? 'any line'
        : `at least ${condition.count} lines within ${time}`;
  return groupBy === null ? what : `${what}, per ${groupBy}`;
}

/** Says when a rule fires, wherever the reader is. What fired before the list was first here is history. */
export function announceRules(rules: Rules, notices: Notices): () => void {
  const listener = Object.assign({}, Backbone.Events) as Backbone.EventsMixin;
  let loaded = false;
  listener.listenTo(rules, 'change:lastFiredMs', (rule: RuleModel) => {
    const lastMs = rule.get('lastFiredMs') ?? null;
    if (!loaded || lastMs === null || lastMs <= (rule.previous('lastFiredMs') ?? 0)) return;
    const groups = rule.get('firing')!.flatMap(({ group }) => group ?? []);
    const shown = groups.slice(0, 3).join(', ');
    const more = groups.length > 3 ? ` and ${groups.length - 3} more` : '';
    notices.say({
      id: `rule-${rule.id}`,
      kind: rule.get('severity') === 'info' ? 'info' : 'bad',
      title: `${rule.get('name')} fires`,
      text: [conditionText(rule.get('condition')!, null), shown === '' ? '' : `: ${shown}${more}`].join(''),
      href: `#/rules/${rule.id}`,
      link: 'Show the rule',
    });
  });
  listener.listenTo(rules, 'loaded', () => {
    loaded = true;
  });
  return () => listener.stopListening();
}
