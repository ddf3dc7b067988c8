import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Destination, Rule, RuleEvent } from '../../../common/model/rule.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { ALERTS_DEFAULTS, type Alerts, createAlerts } from '../../alerts/alerts.ts';
import { createLines, reader } from '../../alerts/testing.ts';
import { createBus } from '../../bus/bus.ts';
import type { StateStore } from '../../store/ports.ts';
import { openStateStore } from '../../store/sqlite/open.ts';
import { deliveryRoutes } from '../deliveries/routes.ts';
import { destinationRoutes } from '../destinations/routes.ts';
import { ruleRoutes } from './routes.ts';

let folder: string;
let state: StateStore;
let alerts: Alerts;
let lines: ReturnType<typeof createLines>;
let edge: Edge;
let headers: Record<string, string>;
const audits: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-rules-'));
  state = openStateStore(join(folder, 'state.sqlite'));
  const bus = createBus((error) => {
    throw error;
  });
  lines = createLines(bus);
  lines.commit([{ message: 'first' }], { nowMs: 1 });
  const quiet = () => undefined;
  alerts = createAlerts(
    {
      ...ALERTS_DEFAULTS,
      smtp: { host: null, port: 25, tls: 'none', user: null, password: null, from: 'a@b', limitMs: 100 },
      ...{ allow: [], hookLimitMs: 100 },
    },
    {
      ...{ state, lines: lines.lines, reader, bus, log: { debug: quiet, info: quiet, warn: quiet, error: quiet } },
      known: { hosts: () => [], instances: () => [] },
      troubles: () => 0,
      consoleUrl: () => 'http://console',
    },
  );
  alerts.start();
  const audit = (_level: string, message: string) => void audits.push(message);
  edge = await startEdge({
    routes: [
      ...ruleRoutes({ ...alerts, audit }),
      ...destinationRoutes({ ...alerts, audit }),
      ...deliveryRoutes(alerts),
    ],
  });
  headers = { 'Content-Type': 'application/json', ...edge.bearer('admin').headers };
});
afterAll(async () => {
  await edge.stop();
  await alerts.stop();
  state.close();
  rmSync(folder, { recursive: true });
});

const ask = async <T>(method: string, path: string, body?: unknown) => {
  const answer = await edge.ask(`/api/v1/${path}`, {
    ...{ method, headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, err: answer.json.err, message: answer.json.message, data: answer.json.data as T };
};
const DRAFT = { name: 'r', query: { q: 'broke' }, condition: { kind: 'lines', count: 2, withinMs: 60_000 } };

it('makes, fires, changes and removes a rule', async () => {
  const made = await ask<Rule>('POST', 'rules', { ...DRAFT, groupBy: 'host' });
  expect(made).toMatchObject({ status: 201, data: { state: 'ok', owner: 'admin@test', quietMs: 600_000 } });
  lines.commit([{}, {}]);
  await alerts.engine.idle();
  const path = `rules/${made.data.id}`;
  expect((await ask<Rule>('GET', path)).data).toMatchObject({ state: 'firing', firing: [{ group: 'h1', count: 2 }] });
  expect((await ask<Rule[]>('GET', 'rules')).data).toHaveLength(1);
  const events = (await ask<RuleEvent[]>('GET', `rules/events?rule=${made.data.id}`)).data;
  expect(events).toMatchObject([{ what: 'fired', group: 'h1', message: 'it broke' }]);
  expect((await ask<RuleEvent[]>('GET', `rules/events?before=${events[0]!.id}`)).data).toEqual([]);
  expect((await ask<Rule>('PUT', path, { ...DRAFT, enabled: false })).data).toMatchObject({ state: 'off', firing: [] });
  expect((await ask('DELETE', path)).status).toBe(200);
  expect((await ask('GET', path)).err).toBe('not-found');
  expect(audits).toEqual(['rule made', 'rule changed', 'rule removed']);
});

it('says what is wrong with a rule', async () => {
  expect((await ask('POST', 'rules', { ...DRAFT, query: { q: '/(/' } })).err).toBe('bad-query');
  expect((await ask('POST', 'rules', { ...DRAFT, destinations: ['x'] })).message).toContain('no destination x');
  expect((await ask('POST', 'rules', { ...DRAFT, condition: { kind: 'lines', count: 0, withinMs: 1 } })).status).toBe(
    400,
  );
  expect((await ask('POST', 'rules/preview', { draft: { ...DRAFT, query: { q: '/(/' } } })).err).toBe('bad-query');
});

it('previews what the very rule would have told', async () => {
  const nowMs = Date.now();
  for (const agoMs of [7_200_000, 7_190_000, 3_600_000, 1_000, 500])
    lines.commit([{ message: 'preview me' }], { nowMs: nowMs - agoMs, told: false });
  const draft = { ...DRAFT, query: { q: '"preview me"' } };
  const { data } = await ask<Record<string, unknown>>('POST', 'rules/preview', { draft });
  expect(data).toMatchObject({ fired: 2, linesSeen: 5, complete: true });
  expect((data['times'] as { tsMs: number }[]).map(({ tsMs }) => tsMs - nowMs)).toEqual([-7_190_000, -500]);
});

it('never gives back what is secret of a destination', async () => {
  const hook = { kind: 'webhook', name: 'h', url: 'https://h.example/services/T1/B2/verysecret', secret: 'top' };
  const made = await ask<Destination>('POST', 'destinations', hook);
  expect(made).toMatchObject({ status: 201, data: { secretSet: true, url: 'https://h.example/services…' } });
  const { url: _url, secret: _secret, ...rest } = hook;
  const changed = await ask<Destination>('PUT', `destinations/${made.data.id}`, { ...rest, name: 'renamed' });
  expect(changed.data).toMatchObject({ name: 'renamed', secretSet: true, url: 'https://h.example/services…' });
  const all = JSON.stringify([made, changed, await ask('GET', 'destinations'), await ask('GET', 'deliveries')]);
  expect(all).not.toMatch(/verysecret|"top"/);
  expect(state.destinations.list()[0]).toMatchObject({ url: hook.url, secret: 'top' });
  for (const url of ['file:///etc/passwd', 'http://a:b@h.example/'])
    expect((await ask('POST', 'destinations', { ...hook, name: 'x', url })).status).toBe(400);
  expect((await ask('POST', 'destinations', { ...hook, name: 'RENAMED' })).err).toBe('name-taken');
  expect((await ask('POST', `destinations/${made.data.id}/test`)).data).toMatchObject({ sent: false });
});
