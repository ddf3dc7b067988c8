import type { RuleDraft } from '../../../../../common/model/rule.ts';
import type { RuleModel } from '../../../models/rules.ts';

/** What can be changed of a rule. */
export function draftOf(rule: RuleModel): RuleDraft {
  const { name, enabled, query, condition, groupBy, quietMs, severity, destinations, tellEnd } =
    rule.attributes as RuleDraft;
  return structuredClone({ name, enabled, query, condition, groupBy, quietMs, severity, destinations, tellEnd });
}

/** A filter as one text. */
export function filterText({ q, ...rest }: RuleDraft['query']): string {
  const parts = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [`${name}:${value}`]));
  return [...parts, ...(q.trim() === '' ? [] : [q.trim()])].join(' ');
}
