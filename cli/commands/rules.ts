import { WebvirtError } from '../../common/errors.ts';
import type { Delivery, Destination, Rule, RuleEvent } from '../../common/model/rule.ts';
import { visibleText } from '../../common/pure/visible-text.ts';
import { request } from '../net/request.ts';
import { jsonText } from '../show/json-text.ts';
import { table } from '../show/table.ts';
import type { CliCall, CliCommand } from './command.ts';
import { FILTER_FLAGS, filterOf } from './line-filter.ts';
import { countFlag, durationFlag, textFlag } from './values.ts';

interface Preview {
  times: { tsMs: number; group: string | null; count: number }[];
  fired: number;
  linesSeen: number;
  fromMs: number;
  complete: boolean;
}

const MINUTE_MS = 60_000;

export const rules: CliCommand = {
  words: ['rules'],
  usage:
    'webvirt rules | webvirt rules add NAME [FILTER] | try [FILTER] | on RULE | off RULE | remove RULE | history [RULE] | ' +
    'destinations | test DESTINATION | deliveries',
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
  },
  async run(call) {
    const [word = 'list', name, ...words] = call.args;
    const rest = words.join(' ');
    if (word === 'list') return list(call);
    if (word === 'try') return tryOut(call, [name, ...words].filter((one) => one !== undefined).join(' '));
    if (word === 'history') return history(call, name);
    if (word === 'destinations') return destinations(call);
    if (word === 'deliveries') return deliveries(call);
    if (name === undefined) throw new WebvirtError('bad-request', `Usage: ${rules.usage}`);
    if (word === 'add') return add(call, name, rest);
    if (word === 'on' || word === 'off') return turn(call, name, word === 'on');
    if (word === 'remove') return remove(call, name);
    if (word === 'test') return test(call, name);
    throw new WebvirtError('bad-request', `webvirt rules does not know "${word}". Usage: ${rules.usage}`);
  },
};

const timeOf = (tsMs: number | null) => (tsMs === null ? '' : new Date(tsMs).toISOString());
const said = (text: string | null) => visibleText(text ?? '');

function show(call: CliCall, data: unknown, heading: string[], rows: (string | number)[][]): number {
  call.out(call.json ? jsonText(data) : table(heading, rows));
  return 0;
}

async function list(call: CliCall): Promise<number> {
  const all = await request<Rule[]>(call.config, 'GET', '/api/v1/rules');
  return show(
    call,
    all,
    ['RULE', 'STATE', 'FIRES FOR', 'LAST FIRED', 'ID'],
    all.map((rule) => [
      ...[said(rule.name), rule.state, rule.firing.map(({ group }) => said(group ?? 'all lines')).join(', ')],
      ...[timeOf(rule.lastFiredMs), rule.id],
    ]),
  );
}

/** One thing by its id or its whole name. Throws `not-found`, or `ambiguous`. */
async function findOne<T extends { id: string; name: string }>(
  call: CliCall,
  path: string,
  wanted: string,
): Promise<T> {
  const all = await request<T[]>(call.config, 'GET', path);
  const found = all.filter(({ id, name }) => id === wanted || name === wanted);
  if (found.length > 1) throw new WebvirtError('ambiguous', `There are ${found.length} called ${wanted}; use the id.`);
  if (found[0] === undefined) throw new WebvirtError('not-found', `There is none called ${wanted}.`);
  return found[0];
}

async function draftOf(call: CliCall, name: string, q: string) {
  const silenceMs = durationFlag(call, 'silence');
  const withinMs = durationFlag(call, 'within') ?? MINUTE_MS;
  const told = (textFlag(call, 'tell') ?? '').split(',').filter((one) => one !== '');
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
    destinations: await Promise.all(
      told.map(async (one) => (await findOne<Destination>(call, '/api/v1/destinations', one)).id),
    ),
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
  show(
    call,
    found,
    ['TIME', 'GROUP', 'LINES'],
    times.map(({ tsMs, group, count }) => [timeOf(tsMs), said(group), count]),
  );
  call.note(`It would have fired ${fired} times; ${linesSeen} lines match.`);
  if (!complete) call.note(`There are too many lines: it was looked back to ${timeOf(fromMs)} only.`);
  return 0;
}

async function turn(call: CliCall, wanted: string, enabled: boolean): Promise<number> {
  const rule = await findOne<Rule>(call, '/api/v1/rules', wanted);
  const { name, query, condition, groupBy, quietMs, severity, destinations: told, tellEnd } = rule;
  const draft = { name, query, condition, groupBy, quietMs, severity, destinations: told, tellEnd, enabled };
  await request(call.config, 'PUT', `/api/v1/rules/${rule.id}`, draft);
  return 0;
}

async function remove(call: CliCall, wanted: string): Promise<number> {
  const rule = await findOne<Rule>(call, '/api/v1/rules', wanted);
  await request(call.config, 'DELETE', `/api/v1/rules/${rule.id}`);
  return 0;
}

async function history(call: CliCall, wanted: string | undefined): Promise<number> {
  const rule = wanted === undefined ? null : await findOne<Rule>(call, '/api/v1/rules', wanted);
  const only = rule === null ? '' : `?rule=${rule.id}`;
  const events = await request<RuleEvent[]>(call.config, 'GET', `/api/v1/rules/events${only}`);
  const heading = ['TIME', 'RULE', 'WHAT', 'GROUP', 'LINES', 'LINE', 'MESSAGE'];
  const rows = events.map((one) => [
    ...[timeOf(one.tsMs), said(one.ruleName), one.what, said(one.group), one.count, one.line ?? '', said(one.message)],
  ]);
  return show(call, events, heading, rows);
}

async function destinations(call: CliCall): Promise<number> {
  const all = await request<Destination[]>(call.config, 'GET', '/api/v1/destinations');
  const rows = all.map(({ name, kind, to, url, id }) => [said(name), kind, said(url ?? to.join(', ')), id]);
  return show(call, all, ['DESTINATION', 'KIND', 'WHERE', 'ID'], rows);
}

async function test(call: CliCall, wanted: string): Promise<number> {
  const { id } = await findOne<Destination>(call, '/api/v1/destinations', wanted);
  const path = `/api/v1/destinations/${id}/test`;
  const came = await request<{ sent: boolean; error: string | null; tookMs: number }>(call.config, 'POST', path, {});
  call.out(call.json ? jsonText(came) : came.sent ? `delivered in ${came.tookMs} ms` : said(came.error));
  return came.sent ? 0 : 1;
}

async function deliveries(call: CliCall): Promise<number> {
  const all = await request<Delivery[]>(call.config, 'GET', '/api/v1/deliveries');
  const heading = ['MADE', 'RULE', 'TO', 'STATE', 'TRIES', 'WHY'];
  const rows = all.map((one) => [
    ...[timeOf(one.createdMs), said(one.ruleName), said(one.destinationName), one.state, one.tries, said(one.error)],
  ]);
  return show(call, all, heading, rows);
}
