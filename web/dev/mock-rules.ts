// Invented rules, destinations and what became of them.
import { randomUUID } from 'node:crypto';
import { WebvirtError } from '../../common/errors.ts';
import type { Delivery, Destination, Rule, RuleDraft, RuleEvent } from '../../common/model/rule.ts';
import type { WayIn } from '../../common/model/way-in.ts';
import type { MockState } from './mock-api.ts';
import type { World } from './mock-data.ts';

interface RuleWorld {
  rules: Rule[];
  events: RuleEvent[];
  destinations: Destination[];
  deliveries: Delivery[];
}

const worlds = new WeakMap<World, RuleWorld>();
const MINUTE = 60_000;

function ruleWorld(world: World): RuleWorld {
  const known = worlds.get(world);
  if (known !== undefined) return known;
  const made = invented(world, Date.now());
  worlds.set(world, made);
  return made;
}

function invented(world: World, nowMs: number): RuleWorld {
  const line = world.lines[0]?.id ?? null;
  const [first] = world.instances;
  const base = {
    enabled: true,
    quietMs: 600_000,
    tellEnd: false,
    owner: 'admin@localhost',
    overflow: 0,
    mutedUntilMs: null,
  };
  const times = { createdMs: nowMs - 9e8, changedMs: nowMs - 9e8 };
  const [mail, hook] = [randomUUID(), randomUUID()];
  const disk: Rule = {
    ...{ ...base, ...times, id: randomUUID(), name: 'Disk errors', query: { q: '"I/O error"', level: 'error' } },
    ...{ condition: { kind: 'lines', count: 3, withinMs: MINUTE }, groupBy: 'host', severity: 'critical' },
    ...{ destinations: [mail, hook], state: 'firing', lastFiredMs: nowMs - 4 * MINUTE },
    firing: [{ group: 'alder', sinceMs: nowMs - 4 * MINUTE, count: 17, line }],
  };
  const quiet: Rule = {
    ...{ ...base, ...times, id: randomUUID(), name: 'Silent guests', query: { q: '', source: 'console' } },
    ...{ condition: { kind: 'silence', withinMs: 10 * MINUTE }, groupBy: 'instance', severity: 'warning' },
    ...{ destinations: [mail], state: 'ok', lastFiredMs: nowMs - 86 * MINUTE, firing: [], tellEnd: true },
  };
  const off: Rule = {
    ...{ ...base, ...times, id: randomUUID(), name: 'Failed sign-ins', query: { q: '/[Ff]ailed password/' } },
    ...{ condition: { kind: 'lines', count: 10, withinMs: 5 * MINUTE }, groupBy: 'rhost', severity: 'info' },
    ...{ destinations: [], enabled: false, state: 'off', lastFiredMs: null, firing: [] },
  };
  const event = (rule: Rule, what: RuleEvent['what'], agoMs: number, more: Partial<RuleEvent>): RuleEvent => ({
    ...{ id: randomUUID(), rule: rule.id, ruleName: rule.name, what, tsMs: nowMs - agoMs, group: null, count: 0 },
    ...{ line: null, message: null, ...more },
  });
  const said = 'blk_update_request: I/O error, dev sdb, sector 1953523712 op 0x0:(READ)';
  const events = [
    event(disk, 'fired', 4 * MINUTE, { group: 'alder', count: 3, line, message: said }),
    event(quiet, 'ended', 80 * MINUTE, { group: first?.id ?? 'x' }),
    event(quiet, 'fired', 86 * MINUTE, { group: first?.id ?? 'x' }),
    event(disk, 'held-quiet', 190 * MINUTE, { group: 'birch', count: 3, line, message: said }),
    event(disk, 'fired', 200 * MINUTE, { group: 'birch', count: 3, line, message: said }),
  ];
  const made = { owner: 'admin@localhost', createdMs: nowMs - 9e8 };
  const destinations: Destination[] = [
    ...[{ id: mail, kind: 'email' as const, name: 'on-call', to: ['ops@example.org', 'night@example.org'], url: null }],
    ...[
      { id: hook, kind: 'webhook' as const, name: 'incident desk', to: [], url: 'https://desk.example.org/hooks/w…' },
    ],
  ].map((one) => ({ ...one, ...made, template: '', together: true, secretSet: one.kind === 'webhook' }));
  const delivery = (name: string, id: string, more: Partial<Delivery>): Delivery => ({
    ...{ id: randomUUID(), rule: disk.id, ruleName: disk.name, event: events[0]!.id, destination: id, tries: 1 },
    ...{ destinationName: name, createdMs: nowMs - 4 * MINUTE, endedMs: null, nextTryMs: null, error: null },
    ...{ events: 1, otherRules: 0, state: 'sent', ...more },
  });
  const deliveries = [
    delivery('incident desk', hook, {
      ...{ state: 'waiting', tries: 4, nextTryMs: nowMs + 2 * MINUTE, error: 'It answered 503: upstream is down' },
    }),
    delivery('on-call', mail, { endedMs: nowMs - 4 * MINUTE, events: 1_204, otherRules: 2 }),
    delivery('incident desk', hook, { state: 'failed', tries: 31, error: 'It could not be sent: ECONNREFUSED.' }),
  ];
  return { rules: [disk, quiet, off], events, destinations, deliveries };
}

/** The body of an address of this part; undefined for others. */
export function readRules(world: World, uri: string): unknown {
  const { pathname, searchParams } = new URL(uri, 'http://mock');
  const { rules, events, destinations, deliveries } = ruleWorld(world);
  const rule = searchParams.get('rule');
  if (pathname === '/api/v1/rules') return structuredClone(rules);
  if (pathname === '/api/v1/rules/events') return events.filter((one) => rule === null || one.rule === rule);
  if (pathname === '/api/v1/destinations') return structuredClone(destinations);
  if (pathname === '/api/v1/intake') return waysIn(Date.now());
  if (pathname === '/api/v1/deliveries') return structuredClone(deliveries);
  return undefined;
}

export function answerRules(state: MockState, method: string, path: string, body: Record<string, unknown>) {
  const line = /^\/api\/v1\/logs\/([^/]+)$/.exec(path);
  if (line !== null && method === 'GET') {
    const data = state.world.lines.find((one) => one.id === decodeURIComponent(line[1]!));
    if (data === undefined) throw new WebvirtError('not-found');
    return { status: 200, data };
  }
  const [noun, id, verb] = path.replace('/api/v1/', '').split('/');
  if (noun !== 'rules' && noun !== 'destinations') return null;
  const world = ruleWorld(state.world);
  if (path === '/api/v1/rules/preview') return { status: 200, data: previewOf(body['draft'] as RuleDraft) };
  if (verb === 'test')
    return { status: 200, data: { sent: id === world.destinations[0]?.id, error: 'It answered 404.', tookMs: 84 } };
  if (verb === 'mute') {
    const muted = world.rules.find((one) => one.id === id);
    if (muted === undefined) throw new WebvirtError('not-found');
    muted.mutedUntilMs = Number(body['forMs']) > 0 ? Date.now() + Number(body['forMs']) : null;
    state.changed('/api/v1/rules');
    return { status: 200, data: muted };
  }
  const list = world[noun] as (Rule | Destination)[];
  const at = list.findIndex((one) => one.id === id);
  if (method !== 'POST' && at < 0) throw new WebvirtError('not-found');
  const before = at < 0 ? emptyOf(noun) : list[at]!;
  const next = { ...before, ...body } as Rule & Destination;
  if (noun === 'rules') next.state = !next.enabled ? 'off' : next.firing.length > 0 ? 'firing' : 'ok';
  if (method === 'DELETE') list.splice(at, 1);
  else if (at < 0) list.push(next);
  else list[at] = next;
  state.changed(`/api/v1/${noun}`);
  return { status: method === 'POST' ? 201 : 200, data: method === 'DELETE' ? null : next };
}

function emptyOf(noun: 'rules' | 'destinations') {
  const made = { id: randomUUID(), owner: 'admin@localhost', createdMs: Date.now() };
  if (noun === 'rules')
    return {
      ...made,
      changedMs: Date.now(),
      state: 'ok',
      firing: [],
      lastFiredMs: null,
      overflow: 0,
      mutedUntilMs: null,
    } as unknown as Rule;
  return { ...made, to: [], url: null, template: '', secretSet: false, together: true } as unknown as Destination;
}

function previewOf(draft: RuleDraft) {
  if (draft.query.q.includes('(((')) throw new WebvirtError('bad-query', 'The pattern could not be read.');
  const toMs = Date.now();
  const count = draft.condition.kind === 'lines' ? draft.condition.count : 1;
  const times = Array.from({ length: Math.round(40 / count) }, (_, i) => ({
    ...{
      tsMs: toMs - 86_000_000 + ((i * i * 7_919_000) % 85_000_000),
      group: draft.groupBy && `${draft.groupBy} ${i % 3}`,
    },
    count,
  })).sort((a, b) => a.tsMs - b.tsMs);
  return { times, fired: times.length, linesSeen: 1_284, fromMs: toMs - 86_400_000, toMs, complete: true };
}

function waysIn(nowMs: number): WayIn[] {
  const none = { taken: 0, refused: [], dropped: [], sentBack: 0, lastSeenMs: null, senders: [] };
  const shop = { taken: 48_210, refused: [{ reason: 'the message is missing', count: 3 }], dropped: [], sentBack: 0 };
  const router = { taken: 1_204_551, refused: [], sentBack: 0, lastSeenMs: nowMs - 2_000 };
  const dropped = [{ reason: 'more lines a second than one sender may send', count: 8_112 }];
  return [
    { way: 'http', listens: '/api/v1/logs', ...none },
    {
      ...{ way: 'otlp', listens: '/v1/logs', ...shop, lastSeenMs: nowMs - 400 },
      senders: [{ id: 't1', name: 'shop@example.org', ...shop, lastSeenMs: nowMs - 400 }],
    },
    {
      ...{ way: 'syslog-udp', listens: '0.0.0.0:5514', ...router, dropped },
      senders: [{ id: '10.20.0.1', name: '10.20.0.1', ...router, dropped }],
    },
    { way: 'syslog-tls', listens: null, ...none },
  ];
}
