import type { RuleDraft } from '../../common/model/rule.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import type { AlertNotice, Gathered } from '../store/ports.ts';

/** What a message tells: one event, or several that were gathered, of which `notice` is the first. */
export interface Told {
  notice: AlertNotice;
  gathered?: Gathered | undefined;
}

/** What a message says, apart from the form it takes. */
export interface NoticeWords {
  title: string;
  text: string;
  /** `Rule`, or `Rules` where it tells of several. */
  ruleLabel: string;
  /** Address of the page of the rule, and of the line where there is one. */
  ruleUrl: string;
  lineUrl: string | null;
}

/** One event in words, with links into the console under `consoleUrl`. Nothing in it acts on a terminal or a reader. */
export function noticeWords(notice: AlertNotice, consoleUrl: string): NoticeWords {
  const group = groupText(notice);
  const about = group === null ? '' : ` — ${group}`;
  const state = { fired: notice.severity.toUpperCase(), ended: 'OVER', test: 'TEST' }[notice.what];
  const title = visibleText(`[${state}] ${notice.ruleName}${about}`).replaceAll(/\s+/g, ' ');
  const said = notice.message === null ? '' : `\n${visibleText(notice.message)}`;
  const count = notice.count > 0 ? ` (${notice.count} ${notice.count === 1 ? 'line' : 'lines'})` : '';
  return {
    title,
    text: `${visibleText(notice.condition)}${count}${said}`,
    ruleLabel: 'Rule',
    ruleUrl: `${consoleUrl}/#/rules/${encodeURIComponent(notice.rule)}`,
    lineUrl: notice.line === null ? null : `${consoleUrl}/#/lines/${encodeURIComponent(notice.line)}`,
  };
}

function groupText(notice: AlertNotice): string | null {
  const word = groupWord(notice);
  return word === null ? null : `${notice.groupBy} ${word}`;
}

/** Name of the group for people; null where nothing is grouped. */
export function groupWord({ groupBy, group, groupName }: AlertNotice): string | null {
  if (groupBy === null || group === null) return null;
  return groupName ?? (group === '' ? '(none)' : group);
}

/** `at least 5 lines within 1 min`: what a rule looks for. */
export function conditionText({ condition, query }: Pick<RuleDraft, 'condition' | 'query'>): string {
  const { q, ...rest } = query;
  const parts = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [`${name}:${value}`]));
  const filter = [...parts, ...(q.trim() === '' ? [] : [q.trim()])].join(' ');
  const time = durationText(condition.withinMs);
  const what =
    condition.kind === 'silence'
      ? `No line in ${time}`
      : `At least ${condition.count} ${condition.count === 1 ? 'line' : 'lines'} within ${time}`;
  return filter === '' ? `${what}, of all lines` : `${what} that match: ${filter}`;
}

function durationText(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const)
    if (ms % size === 0) return `${ms / size} ${unit}`;
  return `${ms / 1000} s`;
}
