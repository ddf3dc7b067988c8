import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RuleDraft, ruleDraftSchema } from '../../common/model/rule.ts';
import { type Bus, createBus } from '../bus/bus.ts';
import type { StateStore } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { ALERTS_DEFAULTS, type Alerts, createAlerts } from './alerts.ts';
import { createLines, reader, temporaryFolder } from './testing.ts';

let folder: ReturnType<typeof temporaryFolder>;
let bus: Bus;
let state: StateStore;
let written: ReturnType<typeof createLines>;
let alerts: Alerts;
let said: { message: string; fields: Record<string, unknown> }[];
let monotonicMs: number;
let troubles: number;
let hosts: string[];

const draft = (over: Partial<RuleDraft> & Record<string, unknown> = {}): RuleDraft =>
  ruleDraftSchema.parse({
    ...{ name: 'errors', query: { level: 'error' }, condition: { kind: 'lines', count: 2, withinMs: 60_000 } },
    ...over,
  });

function open(over: Partial<(typeof ALERTS_DEFAULTS)['engine']> = {}): Alerts {
  const log = (message: string, fields: Record<string, unknown> = {}) => void said.push({ message, fields });
  return createAlerts(
    {
      smtp: { host: null, port: 25, tls: 'none', user: null, password: null, from: 'a@b', limitMs: 1_000 },
      ...{ allow: [], hookLimitMs: 1_000, deliveries: ALERTS_DEFAULTS.deliveries },
      engine: { ...ALERTS_DEFAULTS.engine, tickMs: 5, graceMs: 0, retryMs: 5, ...over },
    },
    {
      ...{ state, lines: written.lines, reader, bus, log: { debug: log, info: log, warn: log, error: log } },
      known: { hosts: () => hosts.map((name) => ({ id: name, name })), instances: () => [] },
      troubles: () => troubles,
      consoleUrl: () => 'http://console',
      monotonicMs: () => monotonicMs,
    },
  );
}

beforeEach(() => {
  folder = temporaryFolder();
  bus = createBus((error) => {
    throw error;
  });
  state = openStateStore(join(folder.path, 'state.sqlite'));
  written = createLines(bus);
  [said, monotonicMs, troubles, hosts] = [[], 0, 0, []];
  written.commit([{ message: 'first' }], { nowMs: 1 });
  alerts = open();
  alerts.start();
});
afterEach(async () => {
  await alerts.stop();
  state.close();
  folder.remove();
});

const events = () => alerts.rules.events({ limit: 100 }).map(({ what, group }) => `${what} ${group}`);
async function restart(): Promise<void> {
  await alerts.stop();
  alerts = open();
  alerts.start();
  await alerts.engine.idle();
}

describe('the rules at work', () => {
  it('fire for a group, once, with the line and its words, and say so in a line', async () => {
    const rule = alerts.rules.create(draft({ groupBy: 'host' }), 'me');
    written.commit([{ host: 'h1' }]);
    written.commit([{ host: 'h2' }]);
    written.commit([{ host: 'h2', level: 'info' }]);
    await alerts.engine.idle();
    expect(events()).toEqual([]);
    written.commit([{ host: 'h2', message: 'again\u202e' }, { host: 'h2' }]);
    await alerts.engine.idle();
    expect(events()).toEqual(['fired h2']);
    expect(alerts.rules.events({ limit: 1 })[0]).toMatchObject({ count: 2, message: 'again\u202e', line: 'h2.e.4' });
    expect(alerts.rules.get(rule.id)).toMatchObject({ state: 'firing', firing: [{ group: 'h2', count: 3 }] });
    expect(said.find(({ message }) => message === 'a rule fired')?.fields).toMatchObject({
      ...{ alert: 'fired', rule: rule.id, group: 'h2', line: 'h2.e.4' },
    });
  });

  it('count what groups of a field have, and the lines without it together', async () => {
    alerts.rules.create(draft({ groupBy: 'disk.name' }), 'me');
    written.commit([{ fields: { disk: { name: 'vda' } } }, { fields: { disk: { name: 'vdb' } } }, {}]);
    written.commit([{ fields: { 'disk.name': 'vdb' } }, {}]);
    await alerts.engine.idle();
    expect(events().sort()).toEqual(['fired ', 'fired vdb']);
  });

  it('never look at the lines that alerts write', async () => {
    alerts.rules.create(draft({ query: { q: '' }, condition: { kind: 'lines', count: 1, withinMs: 1_000 } }), 'me');
    written.commit([{ agent: 'manager', host: '', fields: { alert: 'fired' } }]);
    await alerts.engine.idle();
    expect(events()).toEqual([]);
    // Who only says so is no part of ours.
    written.commit([{ agent: 'external', host: '', fields: { alert: 'fired' } }]);
    await alerts.engine.idle();
    expect(events()).toEqual(['fired null']);
  });

  it('go on after a restart where they were: nothing twice, nothing forgotten', async () => {
    alerts.rules.create(draft({ groupBy: 'host' }), 'me');
    written.commit([{ host: 'h1' }, { host: 'h1' }, { host: 'h1' }]);
    written.commit([{ host: 'h2' }]);
    await alerts.engine.idle();
    await restart();
    expect(events()).toEqual(['fired h1']);
    await alerts.stop();
    // It came while nobody looked.
    written.commit([{ host: 'h2' }]);
    alerts = open();
    alerts.start();
    await alerts.engine.idle();
    expect(events()).toEqual(['fired h2', 'fired h1']);
    expect(
      alerts.rules
        .list()[0]!
        .firing.map(({ group }) => group)
        .sort(),
    ).toEqual(['h1', 'h2']);
  });

  it('let go of what they cannot keep up with, and read it from the store', async () => {
    await alerts.stop();
    alerts = open({ queueLines: 10 });
    alerts.start();
    alerts.rules.create(draft({ condition: { kind: 'lines', count: 500, withinMs: 60_000 } }), 'me');
    for (let i = 0; i < 50; i += 1) written.commit(Array.from({ length: 10 }, () => ({})));
    await alerts.engine.idle();
    expect(alerts.engine.stats().skipped).toBeGreaterThan(0);
    expect(events()).toEqual(['fired null']);
    expect(alerts.rules.list()[0]!.firing).toMatchObject([{ count: 500 }]);
  });

  it('see the first lines of all, also those that come before their first look at the store is over', async () => {
    await alerts.stop();
    written = createLines(bus);
    alerts = open();
    alerts.start();
    await alerts.engine.idle();
    const release = written.hold();
    alerts.rules.create(draft(), 'me');
    written.commit([{ host: 'h1' }, { host: 'h1' }]);
    release();
    await alerts.engine.idle();
    expect(events()).toEqual(['fired null']);
  });

  it('wait for a store that is away, and count from where it was kept', async () => {
    await alerts.stop();
    alerts = open({ queueLines: 10 });
    alerts.start();
    alerts.rules.create(draft({ condition: { kind: 'lines', count: 30, withinMs: 60_000 } }), 'me');
    await alerts.engine.idle();
    written.breakOff(true);
    written.commit(Array.from({ length: 20 }, () => ({})));
    await expect.poll(() => said.some(({ message }) => message.startsWith('rules cannot go on'))).toBe(true);
    written.breakOff(false);
    written.commit(Array.from({ length: 10 }, () => ({})));
    await alerts.engine.idle();
    expect(events()).toEqual(['fired null']);
    expect(alerts.rules.list()[0]!.firing).toMatchObject([{ count: 30 }]);
  });

  it('are shared by what they look at, and go on counting when only their name changes', async () => {
    const rule = alerts.rules.create(draft(), 'me');
    alerts.rules.create(draft({ name: 'the same', query: { level: 'error', q: ' ' } }), 'me');
    expect(alerts.engine.stats()).toMatchObject({ rules: 2, channels: 1 });
    written.commit([{}]);
    await alerts.engine.idle();
    alerts.rules.update(rule.id, draft({ name: 'renamed' }));
    written.commit([{}]);
    await alerts.engine.idle();
    expect(events().filter((one) => one === 'fired null')).toHaveLength(2);
    expect(alerts.rules.update(rule.id, draft({ enabled: false })).state).toBe('off');
    expect(() => alerts.rules.create(draft({ query: { q: '/(/' } }), 'me')).toThrow(/pattern/);
  });
});

describe('silence', () => {
  const silent = () => draft({ groupBy: 'host', condition: { kind: 'silence', withinMs: 60_000 } });
  async function pass(ms: number): Promise<void> {
    monotonicMs += ms;
    // Two rounds: one that was on its way has seen the old time.
    for (let i = 0; i < 3; i += 1) await new Promise((done) => setTimeout(done, 8));
    await alerts.engine.idle();
  }

  it('fires for each known host of which nothing comes, and ends when something does', async () => {
    hosts = ['h1', 'h2'];
    alerts.rules.create(silent(), 'me');
    await pass(1);
    await pass(40_000);
    written.commit([{ host: 'h1' }]);
    await alerts.engine.idle();
    await pass(30_000);
    expect(events()).toEqual(['fired h2']);
    written.commit([{ host: 'h2' }]);
    await pass(1);
    expect(events()).toEqual(['ended h2', 'fired h2']);
  });

  it('of a manager that did not run is none; what began before goes on after it', async () => {
    hosts = ['h1'];
    alerts.rules.create(silent(), 'me');
    await pass(1);
    await pass(40_000);
    await alerts.stop();
    monotonicMs += 3_600_000;
    alerts = open();
    alerts.start();
    await pass(10_000);
    expect(events()).toEqual([]);
    await pass(15_000);
    expect(events()).toEqual(['fired h1']);
    await restart();
    await pass(100_000);
    expect(events()).toEqual(['fired h1']);
  });

  it('is not said while nothing can be stored', async () => {
    hosts = ['h1'];
    alerts.rules.create(silent(), 'me');
    await pass(1);
    troubles += 1;
    await pass(1);
    await pass(600_000);
    expect(events()).toEqual([]);
    written.commit([{ host: 'h9' }]);
    await pass(1);
    await pass(61_000);
    expect(events()).toEqual(['fired h1']);
  });
});
