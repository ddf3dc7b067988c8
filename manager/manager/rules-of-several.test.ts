import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Line, NewLine } from '../../common/model/line.ts';
import { ruleDraftSchema } from '../../common/model/rule.ts';
import { queryOf } from '../../common/pure/query/filter.ts';
import { compileMatcher } from '../../common/pure/query/match.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import { ALERTS_DEFAULTS, type Alerts, createAlerts } from '../alerts/alerts.ts';
import { rowOfLine } from '../alerts/line-row.ts';
import type { AlertLines } from '../alerts/ports.ts';
import { type Bus, createBus } from '../bus/bus.ts';
import { laneOf, placeNumbers } from '../store/cassandra/layout.ts';
import { columnsOf, lineAt, sortMsOf } from '../store/line-columns.ts';
import type { CommittedBatch } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { createSharedAlerts } from './shared-alerts.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

let seed = 11;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};

/** A store that managers share, in memory: each has its lane of arrival numbers, and one's clock is behind. */
function createWorld() {
  const kept: { ordinal: number; line: Line }[] = [];
  const newest = [0, 0];
  let clock = 4_000 * 1_000_000;

  function linesOf(who: number): AlertLines {
    const since: NonNullable<AlertLines['shared']>['since'] = async (filter, after, limit, _signal, floor = 0) => {
      const matches = compileMatcher(queryOf(filter), re2Engine);
      const places = new Map(after.map((ordinal) => [laneOf(ordinal), ordinal]));
      const ahead = kept
        .filter(({ ordinal }) => ordinal > (places.get(laneOf(ordinal)) ?? floor))
        .sort((a, b) => a.ordinal - b.ordinal);
      const found = ahead.filter(({ line }) => matches(rowOfLine(line))).slice(0, limit);
      for (const { ordinal } of found.length === limit ? found : ahead) places.set(laneOf(ordinal), ordinal);
      return { lines: found.map(({ line }) => line), positions: [...places.values()] };
    };
    return {
      newestOrdinal: () => newest[who]!,
      search: () => Promise.reject(new Error('not asked here')),
      since: async (filter, ordinal, limit) => ({
        ...(await since(filter, [], limit, undefined, ordinal)),
        lastOrdinal: newest[who]!,
      }),
      shared: { laneOf, since, lead: { hold: () => Promise.resolve(true), release: () => Promise.resolve() } },
    };
  }

  function commit(who: number, message: string, fields: Record<string, unknown>, count: number): CommittedBatch {
    clock += random(3) * 400_000;
    const [ordinal] = placeNumbers(Math.max(newest[who]! + 1, clock - who * 12_000_000), [count], who);
    const builder = new ColumnBuilder();
    const line: NewLine = { tsMs: 5_000, level: 'error', source: 'file', message, fields };
    for (let i = 0; i < count; i += 1) builder.add(line);
    const batch: CommittedBatch = {
      ...{
        agent: `a${who}`,
        host: `a${who}`,
        hostName: 'h',
        epoch: 'e'.repeat(16),
        first: kept.length,
        count,
        hash: '',
      },
      ...{ receivedMs: 9_000, columns: builder.take(), gap: null, ordinal: ordinal! },
    };
    for (let i = 0; i < count; i += 1) kept.push({ ordinal: ordinal! + i, line: lineAt(batch, columnsOf(batch), i) });
    newest[who] = ordinal! + count - 1;
    return batch;
  }
  return { linesOf, commit };
}

function manager(who: number, lines: AlertLines, tellOther: (data: unknown) => void) {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-several-'));
  const raw = openStateStore(join(dir, 'state.sqlite'));
  const bus: Bus = createBus((error) => {
    throw error;
  });
  const log = () => undefined;
  let isAlive = true;
  const shared = createSharedAlerts(raw, {
    tell: (note) => isAlive && tellOther(note),
    ownNewest: () => null,
    nowMs: Date.now,
  });
  const start = (): Alerts => {
    const made = createAlerts(
      {
        smtp: { host: null, port: 25, tls: 'none', user: null, password: null, from: 'a@b', limitMs: 1_000 },
        ...{ allow: [], hookLimitMs: 1_000, deliveries: ALERTS_DEFAULTS.deliveries },
        engine: { ...ALERTS_DEFAULTS.engine, tickMs: 5, graceMs: 0, retryMs: 5, saveMs: 5 },
      },
      {
        ...{ state: shared.state, lines, reader: { columnsOf, sortMsOf }, bus },
        log: { debug: log, info: log, warn: log, error: log },
        known: { hosts: () => [], instances: () => [] },
        ...{ troubles: () => 0, consoleUrl: () => 'http://console', nowMs: () => 10_000 },
      },
    );
    made.lead(false);
    made.start();
    return made;
  };
  const it = {
    ...{ who, bus, shared, alerts: start() },
    lead(is: boolean) {
      shared.lead(is);
      it.alerts.lead(is);
    },
    hear(data: unknown) {
      if (isAlive && shared.take(data) !== null) it.alerts.follow();
    },
    /** What it has not told by now nobody learns. */
    async kill() {
      isAlive = false;
      shared.lead(false);
      await it.alerts.stop();
    },
    restart() {
      isAlive = true;
      it.alerts = start();
    },
  };
  undo.push(async () => {
    await it.alerts.stop();
    raw.close();
    rmSync(dir, { recursive: true });
  });
  return it;
}

it('rules fire once for the lines of all managers, whoever looks after them, however often that one is killed', async () => {
  const world = createWorld();
  const both: ReturnType<typeof manager>[] = [];
  for (const who of [0, 1]) both.push(manager(who, world.linesOf(who), (data) => both[1 - who]?.hear(data)));
  let leader = both[0]!;
  leader.lead(true);
  const draft = ruleDraftSchema.parse({
    ...{ name: 'three', query: { q: 'broken' }, condition: { kind: 'lines', count: 3, withinMs: 3_600_000 } },
    ...{ groupBy: 'disk', quietMs: 0 },
  });
  const rule = leader.alerts.rules.create(draft, 'me');
  both[1]!.alerts.rules.adopt(rule.id, leader.shared.state.rules.list()[0]!);
  await leader.alerts.engine.idle();
  const counts = new Map<string, number>();
  for (let step = 0; step < 300; step += 1) {
    const who = random(2);
    const disk = `d${random(150)}`;
    const count = 1 + random(2);
    counts.set(disk, (counts.get(disk) ?? 0) + count);
    const batch = world.commit(who, random(5) === 0 ? 'BROKEN again' : 'it is broken', { disk }, count);
    both[who]!.bus.emit('lines', { batches: [batch] });
    const other = both[1 - who]!;
    // Now and then the road between them loses something.
    if (random(8) === 0) other.bus.emit('peer-break', { manager: 'm', lines: count });
    else other.bus.emit('peer-lines', { manager: 'm', batches: [batch] });
    if (random(12) === 0) await leader.alerts.engine.idle();
    if (random(25) > 0) continue;
    const next = both[1 - leader.who]!;
    const isKilled = random(2) === 0;
    if (isKilled) await leader.kill();
    else if (random(2) === 0) leader.lead(false);
    else {
      leader.alerts.handOver();
      leader.shared.lead(false);
    }
    next.lead(true);
    if (isKilled) {
      leader.restart();
      for (const note of next.shared.all()) leader.hear(note);
    }
    leader = next;
  }
  await leader.alerts.engine.idle();
  const fired = leader.alerts.rules.events({ limit: 500 }).map(({ what, group }) => `${what} ${group}`);
  const wanted = [...counts].flatMap(([disk, count]) => (count >= 3 ? [`fired ${disk}`] : []));
  expect(wanted.length).toBeGreaterThan(20);
  expect([...fired].sort()).toEqual(wanted.sort());
  // The other one shows the same.
  const shown = both[1 - leader.who]!.alerts.rules;
  expect(shown.events({ limit: 500 }).length).toBe(fired.length);
  expect(
    shown
      .get(rule.id)
      .firing.map(({ group }) => group)
      .sort(),
  ).toEqual(
    leader.alerts.rules
      .get(rule.id)
      .firing.map(({ group }) => group)
      .sort(),
  );
});
