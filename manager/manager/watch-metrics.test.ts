import { expect, it } from 'vitest';
import { createMetrics } from '../api/metrics/metrics.ts';
import type { LineStats } from '../store/ports.ts';
import { type MetricSources, watchMetrics } from './watch-metrics.ts';

const STATS: LineStats = { lines: 7, bytesOnDisk: 512, oldestMs: 1, unsealedLines: 2, heldBackMs: 1_500 };

function watched(given: LineStats) {
  const metrics = createMetrics();
  const world = { calls: 0, fail: false };
  const lines = {
    async stats() {
      world.calls += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (world.fail) throw new Error('not open');
      return given;
    },
  };
  const sources = { lines, live: { stats: () => ({}) }, compute: { list: () => [] }, peers: { numbers: () => null } };
  const inventory = { hosts: () => [], instances: () => [] };
  watchMetrics(metrics, { ...sources, inventory, intake: { counters: {} } } as unknown as MetricSources);
  return { metrics, world };
}

it('asks the store once for all of its numbers, each time somebody asks for them', async () => {
  const file = { file: 'x.parquet', fromMs: 1, toMs: 2 };
  const { metrics, world } = watched({
    ...STATS,
    unreadable: [
      { ...file, lines: 8_192 },
      { ...file, lines: 8 },
    ],
    scrub: { passStartedMs: 1, lines: 5, checkedLines: 1, lastPassMs: 1_700_000_000_000 },
  });
  const text = await metrics.registry.metrics();
  const numbers = [...text.matchAll(/^webvirt_lines(\w*) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]);
  expect(Object.fromEntries(numbers)).toEqual({
    ...{ '': 7, _bytes: 512, _unsealed: 2, _held_back_seconds: 1.5 },
    ...{ _unreadable: 8_200, _scrub_ended_seconds: 1_700_000_000 },
  });
  expect(world.calls).toBe(1);
  await metrics.registry.metrics();
  expect(world.calls).toBe(2);
});

it('leaves them out while the store is not open, and has them again afterwards', async () => {
  const { metrics, world } = watched(STATS);
  world.fail = true;
  expect(await metrics.registry.metrics()).not.toMatch(/^webvirt_lines\w* \d/m);
  world.fail = false;
  expect(await metrics.registry.metrics()).toMatch(/^webvirt_lines_unreadable 0$/m);
});
