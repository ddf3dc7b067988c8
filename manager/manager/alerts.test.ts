import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Delivery, Destination, Rule } from '../../common/model/rule.ts';
import { checkConfig } from '../../common/pure/config/check.ts';
import { managerIsReady } from '../../test/support/whole-manager.ts';
import { managerConfigSchema } from '../config.ts';
import { createManager, type Manager } from '../manager.ts';

const PASSWORD = 'correct horse battery';
let folder: string;
let manager: Manager;
let url: string;
let hook: Server;
let told: Record<string, unknown>[];
let headers: Record<string, string>;
let call: <T>(method: string, path: string, body?: unknown) => Promise<T>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-told-'));
  told = [];
  hook = createServer(async (request, answer) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    told.push(JSON.parse(body) as Record<string, unknown>);
    answer.end();
  });
  await new Promise<void>((done) => hook.listen(0, '127.0.0.1', done));
  const raw = { dataDir: folder, port: 0, adminPassword: PASSWORD, alerts: { allow: ['127.0.0.1'], gather: '50ms' } };
  const config = checkConfig(managerConfigSchema, raw, { file: 'test' });
  manager = createManager(config, { version: '1.2.3', webFolder: null, stderr: false });
  ({ url } = await manager.start());
  await managerIsReady(url);
  const json = { 'Content-Type': 'application/json' };
  const signIn = { email: 'admin@localhost', password: PASSWORD };
  const entered = await fetch(`${url}/api/v1/sign-in`, {
    ...{ method: 'POST', headers: json, body: JSON.stringify(signIn) },
  });
  const Cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
  const me = (await (await fetch(`${url}/api/v1/me`, { headers: { Cookie } })).json()) as {
    data: { csrfToken: string };
  };
  headers = { ...json, Cookie, 'X-CSRF-Token': me.data.csrfToken };
  call = async <T>(method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}/api/v1/${path}`, {
      ...{ method, headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { err, message, data } = (await answer.json()) as { err: string | null; message: string; data: T };
    if (err !== null) throw new Error(`${path}: ${err} ${message}`);
    return data;
  };
});
afterAll(async () => {
  await manager.stop();
  hook.close();
  rmSync(folder, { recursive: true, force: true });
});

it('a line from outside fires a rule, is told by a webhook, in a line and in the history', async () => {
  const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
  const { id } = await call<Destination>('POST', 'destinations', { kind: 'webhook', name: 'h', url: address });
  const condition = { kind: 'lines', count: 2, withinMs: 60_000 };
  const draft = {
    name: 'Refused',
    query: { q: 'refused level:error' },
    condition,
    groupBy: 'shop',
    destinations: [id],
  };
  const rule = await call<Rule>('POST', 'rules', draft);
  const line = { level: 'error', message: 'card refused', fields: { shop: 'north' } };
  await call('POST', 'logs', [line, { ...line, level: 'info' }, { ...line, fields: { shop: 'south' } }]);
  await call('POST', 'logs', [line]);
  await expect.poll(() => told.length).toBe(1);
  expect(told[0]).toMatchObject({ what: 'fired', group: 'north', count: 2, rule: { id: rule.id, name: 'Refused' } });
  const page = (told[0]!['line'] as { url: string }).url;
  expect(page.startsWith(`${url}/#/lines/`)).toBe(true);
  const lineId = decodeURIComponent(page.split('/').at(-1)!);
  expect(await call('GET', `logs/${encodeURIComponent(lineId)}`)).toMatchObject({ message: 'card refused' });
  expect(await call('GET', `rules/${rule.id}`)).toMatchObject({ state: 'firing', firing: [{ group: 'north' }] });
  await expect
    .poll(async () => (await call<Delivery[]>('GET', 'deliveries')).map(({ state, tries }) => `${state} ${tries}`))
    .toEqual(['sent 1']);
  const said = () =>
    call<{ lines: unknown[] }>('GET', `logs?q=${encodeURIComponent(`rule:${rule.id} source:manager`)}`);
  await expect.poll(async () => (await said()).lines.length).toBeGreaterThan(1);
  const preview = await call<{ fired: number; complete: boolean }>('POST', 'rules/preview', { draft });
  expect(preview).toMatchObject({ fired: 1, complete: true });
});

it('tells Prometheus what came in, what rules did and what was delivered', async () => {
  await expect(call('POST', 'logs', [{ level: 'error' }, { message: 'fine', level: 'info' }])).resolves.toBeTruthy();
  let text = '';
  const read = async () => {
    text = await (await fetch(`${url}/metrics`, { headers })).text();
  };
  const value = (name: string) =>
    Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1]);
  // Rules look at lines after they were taken.
  const looked = () => [value('webvirt_rules_behind'), value('webvirt_rule_evaluations_total') > 4];
  await expect.poll(() => read().then(looked)).toEqual([0, true]);
  expect(value('webvirt_outside_lines_taken_total{way="http"}')).toBeGreaterThanOrEqual(5);
  expect(text).toMatch(/^webvirt_outside_lines_refused_total\{way="http",reason="[^"]+"\} 1$/m);
  expect(text).toContain('# TYPE webvirt_outside_lines_dropped_total counter');
  expect(value('webvirt_outside_sent_back_total{way="otlp"}')).toBe(0);
  expect(value('webvirt_rules{state="firing"}')).toBe(1);
  expect(value('webvirt_rule_groups_firing')).toBe(1);
  expect(value('webvirt_rule_events_total{what="fired"}')).toBe(1);
  expect(value('webvirt_rule_lines_late_total')).toBe(0);
  expect(value('webvirt_deliveries_total{outcome="sent"}')).toBe(1);
  expect(value('webvirt_deliveries_total{outcome="failed"}')).toBe(0);
  expect(value('webvirt_deliveries_waiting')).toBe(0);
});
