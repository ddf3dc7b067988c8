import { WebvirtError } from '../../common/errors.ts';
import type { AlertNotice } from '../store/ports.ts';
import { groupsText, summaryOf } from './gathered-text.ts';
import type { Told } from './notice-text.ts';
import { wordsOf } from './words.ts';

/** The places of a template, and what the JSON of an event without a template holds. */
export function placesOf(told: Told, delivery: string, consoleUrl: string): Record<string, string | number | null> {
  const { title, text, ruleUrl, lineUrl } = wordsOf(told, consoleUrl);
  const notice = summaryOf(told);
  const { fired, ended } = told.gathered ?? {
    fired: Number(notice.what === 'fired'),
    ended: Number(notice.what === 'ended'),
  };
  return {
    ...{ delivery, what: notice.what, title, text, severity: notice.severity, condition: notice.condition },
    ...{ 'rule.id': notice.rule === '' ? null : notice.rule, 'rule.name': notice.ruleName, 'rule.url': ruleUrl },
    ...{ groupBy: notice.groupBy, group: notice.group, groupName: notice.groupName, count: notice.count },
    ...{ groups: groupsText(told), fired, ended },
    ...{ tsMs: notice.tsMs, time: new Date(notice.tsMs).toISOString() },
    ...{ 'line.id': notice.line, 'line.message': notice.message, 'line.url': lineUrl },
  };
}

/** What the JSON of an event holds beside the places: each thing it tells of, up to a limit, and how many more there are. */
export function listOf(told: Told, consoleUrl: string): { events: Record<string, unknown>[]; more: number } {
  const { notice, gathered } = told;
  const events = (gathered?.top ?? [notice]).map((one) => {
    const { what, severity, rule: id, ruleName, groupBy, group, groupName, count, tsMs, line, message } = one;
    const { title, lineUrl, ruleUrl } = wordsOf({ notice: one }, consoleUrl);
    return {
      ...{ what, title, severity, rule: { id, name: ruleName, url: ruleUrl }, groupBy, group, groupName, count, tsMs },
      line: { id: line, message, url: lineUrl },
    };
  });
  return { events, more: gathered === undefined ? 0 : gathered.fired + gathered.ended - events.length };
}

const PLACE = /\{\{\s*([\w.]+)\s*\}\}/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Fills a template in. One that begins like JSON stays JSON whatever a line said: every value is written as the inside of
 * a JSON string. In other text control and bidi characters become spaces.
 */
export function fillTemplate(
  template: string,
  places: Record<string, string | number | null>,
): { body: string; type: string } {
  const isJson = /^\s*[[{]/.test(template);
  const written = (value: string | number | null) => {
    const text = value === null ? '' : String(value);
    return isJson ? JSON.stringify(text).slice(1, -1) : text.replace(CONTROL, ' ');
  };
  const body = template.replace(PLACE, (_all, name: string) => written(places[name] ?? null));
  return { body, type: isJson ? 'application/json' : 'text/plain; charset=utf-8' };
}

const SAMPLE: AlertNotice = {
  ...{ what: 'test', rule: 'sample', ruleName: 'a "rule"', severity: 'warning', condition: '', groupBy: 'host' },
  ...{ group: 'h', groupName: null, count: 1, tsMs: 0, line: 'a.b.1', message: '"\\\n' },
};

/** Throws `bad-request` that names the place that does not exist, or says why the text is no JSON. */
export function checkTemplate(template: string): void {
  if (template === '') return;
  const places = placesOf({ notice: SAMPLE }, 'x', 'http://x');
  for (const [, name] of template.matchAll(PLACE)) {
    if (Object.hasOwn(places, name!)) continue;
    const known = Object.keys(places).join(', ');
    throw new WebvirtError('bad-request', `body.template: there is no {{${name}}}; there are: ${known}`);
  }
  const { body, type } = fillTemplate(template, places);
  if (type !== 'application/json') return;
  try {
    JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebvirtError('bad-request', `body.template: begins like JSON and is none: ${why}`);
  }
}
