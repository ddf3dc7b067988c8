import { WebvirtError } from '../../common/errors.ts';
import type { Destination, Rule, RuleEvent } from '../../common/model/rule.ts';
import { nearest } from '../../common/pure/config/nearest.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import type { CliCall, CliCommand } from './command.ts';
import { DESTINATION_FLAGS, deliveries, destinations, partsOf, test } from './destinations.ts';
import { FILTER_FLAGS, filterOf } from './line-filter.ts';
import { findOne, mustBeAll, said, show, tell, timeOf } from './rule-calls.ts';
import { countFlag, durationFlag, durationWord, textFlag } from './values.ts';

interface Preview {
  times: { tsMs: number; group: string | null; count: number }[];
  fired: number;
  linesSeen: number;
  fromMs: number;
  complete: boolean;
}

const MINUTE_MS = 60_000;
const GROUPS_SHOWN = 4;
/** What people try for a word that is called otherwise here. */
const OTHER_WORDS: Record<string, string> = { create: 'add', preview: 'try', delete: 'remove', events: 'history' };
const WORDS = ['list', 'add', 'try', 'on', 'off', 'mute', 'remove', 'history', 'destinations', 'test', 'deliveries'];

export const rules: CliCommand = {
  words: ['rules'],
  usage:
    'webvirt rules | webvirt rules add NAME [FILTER] | try [FILTER] | on RULE | off RULE | mute RULE TIME|off | ' +
    'remove RULE | history [RULE] | destinations … | test DESTINATION | deliveries',
  summary: 'Be told when lines come, or none: list and make rules, try them on the last day, read what they did.',
  flags: {
    ...FILTER_FLAGS,
    count: { type: 'string', describe: 'add, try: fire at so many lines (1)' },
    within: { type: 'string', describe: 'add, try: … within this time, such as 5m (1m)' },
    silence: { type: 'string', describe: 'add, try: fire when no line came for so long' },
    by: { type: 'string', describe: 'add, try: for each host, instance or value of a field' },
    quiet: { type: 'string', describe: 'add, try: then not again for so long (10m)' },
    severity: { type: 'string', describe: 'add: info, warning or critical (warning)' },
    tell: { type: 'string', describe: 'add: names of destinations, with commas' },
    'tell-end': { type: 'boolean', describe: 'add: tell them as well when it is over' },
    limit: { type: 'string', describe: 'history, deliveries: so many of the newest (100)' },
    ...DESTINATION_FLAGS,
  },
  async run(call) {
    const [given = 'list', name, ...words] = call.args;
    const word = OTHER_WORDS[given] ?? given;
    if (word === 'list') return list(call);
    if (word === 'try') return tryOut(call, call.args.slice(1).join(' '));
    if (word === 'history') return history(call, name);
    if (word === 'destinations') return destinations(call);
    if (word === 'deliveries') return deliveries(call);
    if (!WORDS.includes(word)) {
      const near = nearest(word, WORDS);
      const guess = near === null ? '' : ` Did you mean "${near}"?`;
      throw new WebvirtError('bad-request', `There is no "webvirt rules ${given}".${guess} Usage: ${rules.usage}`);
    }
    if (name === undefined) throw new WebvirtError('bad-request', `A name is missing. Usage: ${rules.usage}`);
    if (word === 'add') return add(call, name, words.join(' '));
    mustBeAll(call, word === 'mute' ? 3 : 2, rules.usage);
    if (word === 'on' || word === 'off') return turn(call, name, word === 'on');
    if (word === 'mute') return mute(call, name, words[0]);
    return word === 'remove' ? remove(call, name) : test(call, name);
  },
};

/** Names of groups for people: an instance's instead of its UUID. */
async function groupNames(call: CliCall, isNeeded: boolean): Promise<(group: string | null) => string> {
  const instances = isNeeded
    ? await request<{ id: string; name: string }[]>(call.config, 'GET', '/api/v1/instances')
    : [];
  const names = new Map(instances.map(({ id, name }) => [id, name]));
  return (group) => (group === null ? 'all lines' : group === '' ? '(none)' : said(names.get(group) ?? group));
}

async function list(call: CliCall): Promise<number> {
  mustBeAll(call, 1, rules.usage);
  const all = await request<Rule[]>(call.config, 'GET', '/api/v1/rules');
  const isByInstance = all.some(({ groupBy, firing }) => groupBy === 'instance' && firing.length > 0);
  const nameOf = await groupNames(call, !call.json && isByInstance);
  const rows = all.map((rule) => {
    const shown = rule.firing.slice(0, GROUPS_SHOWN).map(({ group }) => nameOf(group));
    const more = rule.firing.length - shown.length;
    const muted = rule.mutedUntilMs === null ? '' : `, muted until ${timeOf(rule.mutedUntilMs)}`;
    const groups = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return [said(rule.name), `${rule.state}${muted}`, groups, timeOf(rule.lastFiredMs), rule.id];
  });
  return show(call, all, ['RULE', 'STATE', 'FIRES FOR', 'LAST FIRED', 'ID'], rows, 'There is no rule yet.');
}

async function draftOf(call: CliCall, name: string, q: string) {
  const silenceMs = durationFlag(call, 'silence');
  const withinMs = durationFlag(call, 'within') ?? MINUTE_MS;
  if (silenceMs !== undefined && (textFlag(call, 'count') ?? textFlag(call, 'within')) !== undefined)
    throw new WebvirtError(
      'bad-request',
      'A rule either counts lines (--count, --within) or waits for one (--silence).',
    );
  const told = partsOf(textFlag(call, 'tell') ?? '');
  return {
    ...{
      name,
      query: { q: '', ...(await filterOf(call, q === '' ? {} : { q })) },
      groupBy: textFlag(call, 'by') ?? null,
    },
    condition:
      silenceMs === undefined
        ? { kind: 'lines', count: countFlag(call, 'count') ?? 1, withinMs }
        : { kind: 'silence', withinMs: silenceMs },
    ...{ quietMs: durationFlag(call, 'quiet') ?? 10 * MINUTE_MS, severity: textFlag(call, 'severity') ?? 'warning' },
    tellEnd: call.flags['tell-end'] === true,
    destinations: await Promise.all(told.map(async (one) => (await findOne<Destination>(call, 'destination', one)).id)),
  };
}

async function add(call: CliCall, name: string, q: string): Promise<number> {
  const made = await request<Rule>(call.config, 'POST', '/api/v1/rules', await draftOf(call, name, q));
  call.out(call.json ? jsonText(made) : made.id);
  return 0;
}

async function tryOut(call: CliCall, q: string): Promise<number> {
  const draft = await draftOf(call, 'draft', q);
  const found = await request<Preview>(call.config, 'POST', '/api/v1/rules/preview', { draft });
  const { times, fired, linesSeen, complete, fromMs } = found;
  const nameOf = await groupNames(call, !call.json && draft.groupBy === 'instance' && times.length > 0);
  const rows = times.map(({ tsMs, group, count }) => [timeOf(tsMs), nameOf(group), count]);
  if (call.json || rows.length > 0) show(call, found, ['TIME', 'GROUP', 'LINES'], rows, '');
  const often = fired === 0 ? 'not have fired' : fired === 1 ? 'have fired once' : `have fired ${fired} times`;
  call.note(`In the last day it would ${often}; ${linesSeen} ${linesSeen === 1 ? 'line matches' : 'lines match'}.`);
  if (!complete) call.note(`There are too many lines: it was looked back to ${timeOf(fromMs)} only.`);
  return 0;
}

async function turn(call: CliCall, wanted: string, enabled: boolean): Promise<number> {
  const rule = await findOne<Rule>(call, 'rule', wanted);
  const { name, query, condition, groupBy, quietMs, severity, destinations: told, tellEnd } = rule;
  const draft = { name, query, condition, groupBy, quietMs, severity, destinations: told, tellEnd, enabled };
  const changed = await request<Rule>(call.config, 'PUT', `/api/v1/rules/${rule.id}`, draft);
  return tell(call, changed, `${said(name)} is ${enabled ? 'on' : 'off'}.`);
}

async function mute(call: CliCall, wanted: string, time: string | undefined): Promise<number> {
  if (time === undefined)
    throw new WebvirtError('bad-request', 'Say for how long, such as 2h, or "off" to hear it again.');
  const forMs = time === 'off' ? 0 : durationWord('mute', time);
  const rule = await findOne<Rule>(call, 'rule', wanted);
  const muted = await request<Rule>(call.config, 'POST', `/api/v1/rules/${rule.id}/mute`, { forMs });
  const until = muted.mutedUntilMs === null ? 'is heard again' : `is muted until ${timeOf(muted.mutedUntilMs)}`;
  return tell(call, muted, `${said(rule.name)} ${until}.`);
}

async function remove(call: CliCall, wanted: string): Promise<number> {
  const rule = await findOne<Rule>(call, 'rule', wanted);
  await request(call.config, 'DELETE', `/api/v1/rules/${rule.id}`);
  return tell(call, null, `${said(rule.name)} is removed; its history stays.`);
}

async function history(call: CliCall, wanted: string | undefined): Promise<number> {
  mustBeAll(call, 2, rules.usage);
  const rule = wanted === undefined ? null : await findOne<Rule>(call, 'rule', wanted);
  const only = rule === null ? '' : `&rule=${rule.id}`;
  const limit = countFlag(call, 'limit') ?? 100;
  const events = await request<RuleEvent[]>(call.config, 'GET', `/api/v1/rules/events?limit=${limit}${only}`);
  const nameOf = await groupNames(call, !call.json && events.some(({ group }) => /^[0-9a-f-]{36}$/.test(group ?? '')));
  const heading = ['TIME', 'RULE', 'WHAT', 'GROUP', 'LINES', 'LINE', 'MESSAGE'];
  const rows = events.map((one) => [
    ...[
      timeOf(one.tsMs),
      said(one.ruleName),
      one.what,
      nameOf(one.group),
      one.count,
      one.line ?? '',
      said(one.message),
    ],
  ]);
  return show(call, events, heading, rows, 'Nothing has happened yet.');
}
