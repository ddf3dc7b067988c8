import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RuleDraft, ruleDraftSchema } from '../../common/model/rule.ts';
import { createBus } from '../bus/bus.ts';
import type { StateStore } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { ALERTS_DEFAULTS, type Alerts, createAlerts } from './alerts.ts';
import { createLines, reader, temporaryFolder } from './testing.ts';

let folder: ReturnType<typeof temporaryFolder>;
let state: StateStore;
let written: ReturnType<typeof createLines>;
let alerts: Alerts;

beforeEach(() => {
  folder = temporaryFolder();
  state = openStateStore(join(folder.path, 'state.sqlite'));
  const bus = createBus((error) => {
    throw error;
  });
  written = createLines(bus);
  written.commit([{ message: 'first' }], { nowMs: 1 });
  const quiet = () => undefined;
  alerts = createAlerts(
    {
      // No look at the clock in between: these lines are of the past.
      engine: { ...ALERTS_DEFAULTS.engine, tickMs: 1_000_000 },
      smtp: { host: null, port: 25, tls: 'none', user: null, password: null, from: 'a@b', limitMs: 100 },
      ...{ allow: [], hookLimitMs: 100, deliveries: ALERTS_DEFAULTS.deliveries },
    },
    {
      ...{ state, lines: written.lines, reader, bus, log: { debug: quiet, info: quiet, warn: quiet, error: quiet } },
      known: { hosts: () => [], instances: () => [] },
      troubles: () => 0,
      consoleUrl: () => 'http://console',
    },
  );
  alerts.start();
});
afterEach(async () => {
  await alerts.stop();
  state.close();
  folder.remove();
});

it('the preview says what the rule has told of the same lines (60 random rules)', async () => {
  let seed = 5;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const words = ['disk', 'net', 'cpu', 'I/O'];
  const drafts: RuleDraft[] = Array.from({ length: 60 }, (_, i) =>
    ruleDraftSchema.parse({
      name: `rule ${i}`,
      query: {
        q: [words[i % 4], '', '/[dn]/', '-cpu'][Math.floor(random() * 4)],
        level: i % 3 === 0 ? 'warn' : 'debug',
      },
      condition: {
        kind: 'lines',
        count: 1 + Math.floor(random() * 6),
        withinMs: 1_000 + Math.floor(random() * 300_000),
      },
      groupBy: [null, 'host', 'code'][i % 3],
      quietMs: Math.floor(random() * 600_000),
    }),
  );
  const rules = drafts.map((draft) => alerts.rules.create(draft, 'me'));
  const startMs = Date.now() - 8 * 3_600_000;
  for (let i = 0, tsMs = startMs; i < 400; i += 1) {
    tsMs += Math.floor(random() * 60_000);
    written.commit(
      [
        {
          ...{ host: `h${Math.floor(random() * 3)}`, level: random() < 0.5 ? 'error' : 'info' },
          message: `${words[Math.floor(random() * 4)]} said`,
          fields: { code: Math.floor(random() * 3) },
        },
      ],
      { nowMs: tsMs },
    );
  }
  await alerts.engine.idle();
  let compared = 0;
  for (const [i, rule] of rules.entries()) {
    const told = alerts.rules
      .events({ rule: rule.id, limit: 5_000 })
      .filter(({ what }) => what === 'fired')
      .map(({ tsMs, group, count }) => `${tsMs} ${group} ${count}`);
    const found = await alerts.preview(drafts[i]!);
    const seen = found.times.map(({ tsMs, group, count }) => `${tsMs} ${group} ${count}`);
    // What a quiet time still held back when the lines ended is told later: the preview looks on until now.
    const lastMs = written.all().at(-1)!.tsMs;
    const until = (one: string) => Number(one.split(' ')[0]) <= lastMs;
    expect(seen.filter(until).sort(), JSON.stringify(drafts[i])).toEqual(told.filter(until).sort());
    compared += told.length;
  }
  expect(compared).toBeGreaterThan(300);
});

it('looking at many lines lets everything else have its turn', async () => {
  const condition = { kind: 'lines', count: 1_000, withinMs: 60_000 };
  for (let i = 0; i < 30; i += 1)
    alerts.rules.create(ruleDraftSchema.parse({ name: `r${i}`, query: { q: `/(a|b)+c${i}$/` }, condition }), 'me');
  await alerts.engine.idle();
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  written.commit(Array.from({ length: 20_000 }, (_, i) => ({ message: `abababababababababababab${i}` })));
  setImmediate(turn);
  await alerts.engine.idle();
  isDone = true;
  expect(turns).toBeGreaterThan(5);
});
