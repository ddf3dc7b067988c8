import { visibleText } from '../../common/pure/visible-text.ts';
import type { AlertNotice, Gathered } from '../store/ports.ts';
import { worstOf } from './gather.ts';
import { groupWord, type NoticeWords, type Told } from './notice-text.ts';

const NAMED_IN_TITLE = 3;
const NAMED_IN_TEXT = 10;
const LIMIT_SAID = 160;
const LIMIT_TITLE = 200;

/** What several events come to, as if they were one: for the places of a template and the keys of an event. */
export function summaryOf({ notice, gathered }: Told): AlertNotice {
  if (gathered === undefined) return notice;
  const { rules, fired, lines, top } = gathered;
  const [first] = top;
  const isOneRule = rules.length === 1;
  return {
    ...{ what: fired > 0 ? 'fired' : 'ended', rule: isOneRule ? notice.rule : '', severity: worstOf(gathered) },
    ruleName: isOneRule ? notice.ruleName : `${rules.length} rules`,
    ...{ condition: isOneRule ? notice.condition : '', groupBy: isOneRule ? notice.groupBy : null },
    ...{ group: null, groupName: null, count: lines, tsMs: notice.tsMs },
    ...{ line: first?.line ?? null, message: first?.message ?? null },
  };
}

/** `alder, birch, cedar and 997 more`: the groups of which a message tells. */
export function groupsText({ notice, gathered }: Told, most = NAMED_IN_TITLE): string {
  const all = gathered?.top ?? [notice];
  const names = [...new Set(all.map((one) => groupWord(one)).filter((name) => name !== null))];
  if (names.length === 0) return gathered === undefined ? '' : `${number(gathered.fired + gathered.ended)} times`;
  const more = gathered === undefined ? 0 : gathered.fired + gathered.ended - Math.min(names.length, most);
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${number(more)} more` : ''}`;
}

/** Several events in words: how many, the first of them, and where the others stand. */
export function gatheredWords(told: Told & { gathered: Gathered }, consoleUrl: string): NoticeWords {
  const { gathered } = told;
  const { fired, ended, lines, rules, top } = gathered;
  const summary = summaryOf(told);
  const isOneRule = rules.length === 1;
  const over = fired > 0 && ended > 0 ? `, ${number(ended)} over` : '';
  const state = fired > 0 ? summary.severity.toUpperCase() : 'OVER';
  const about = isOneRule ? groupsText(told) : rules.map(({ name }) => name).join(', ');
  const title = visibleText(`[${state}] ${summary.ruleName} — ${about}`).replaceAll(/\s+/g, ' ');
  const counts = [
    ...(fired > 0 ? [`Fired ${times(fired)} (${number(lines)} ${lines === 1 ? 'line' : 'lines'})`] : []),
    ...(ended > 0 ? [`over ${times(ended)}`] : []),
  ].join(', ');
  const first = `first at ${new Date(summary.tsMs).toISOString()}`;
  const named = top.slice(0, NAMED_IN_TEXT).map((notice) => `- ${visibleText(oneLine(notice, !isOneRule))}`);
  const rest = fired + ended - named.length;
  const text = [
    ...(isOneRule ? [visibleText(summary.condition)] : [visibleText(ruleList(gathered))]),
    `${counts}; ${first}.`,
    ...named,
    ...(rest > 0 ? [`… and ${number(rest)} more.`] : []),
  ].join('\n');
  return {
    title: `${cut(title, LIMIT_TITLE)}${over}`,
    text,
    ruleLabel: isOneRule ? 'Rule' : 'Rules',
    ruleUrl: isOneRule
      ? `${consoleUrl}/#/rules/${encodeURIComponent(summary.rule)}`
      : `${consoleUrl}/#/rules?tab=history`,
    lineUrl: summary.line === null ? null : `${consoleUrl}/#/lines/${encodeURIComponent(summary.line)}`,
  };
}

function oneLine(notice: AlertNotice, withRule: boolean): string {
  const group = groupWord(notice);
  const parts = [
    ...(withRule ? [`[${notice.severity.toUpperCase()}] ${notice.ruleName}`] : []),
    ...(group === null ? [] : [`${notice.groupBy} ${group}`]),
    notice.what === 'ended' ? 'over' : `${number(notice.count)} ${notice.count === 1 ? 'line' : 'lines'}`,
  ];
  const said = notice.message === null ? '' : `: ${cut(notice.message.replaceAll(/\s+/g, ' '), LIMIT_SAID)}`;
  return `${parts.join(', ')}${said}`;
}

function ruleList({ rules }: Gathered): string {
  const shown = rules.slice(0, NAMED_IN_TEXT).map(({ name, fired, ended }) => {
    const counts = [...(fired > 0 ? [`${number(fired)} fired`] : []), ...(ended > 0 ? [`${number(ended)} over`] : [])];
    return `${name} (${counts.join(', ')})`;
  });
  const more = rules.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more rules` : ''}`;
}

const number = (count: number) => count.toLocaleString('en');
const times = (count: number) => (count === 1 ? 'once' : `${number(count)} times`);
const cut = (text: string, limit: number) => (text.length > limit ? `${text.slice(0, limit - 1)}…` : text);
