import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batch, NOW, numbered } from './batch.testing.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

let dir: string;
let store: OpenLineStore;
const path = () => join(dir, 'lines.duckdb');

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-lines-'));
  store = await openLineStore(path(), { sealAfterMs: Infinity });
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

describe('line store: counts, samples, retention, versions', () => {
  it('counts by time and by value', async () => {
    await store.lines.append([
      batch(0, [
        { level: 'error', tsMs: NOW - 1_000, instance: 'a', fields: { code: 1 } },
        { level: 'error', tsMs: NOW - 900, instance: 'b' },
        { level: 'warn', tsMs: NOW - 100, instance: 'a', fields: { code: 1 } },
      ]),
    ]);
    const buckets = await store.lines.histogram({}, { fromMs: NOW - 1_000, toMs: NOW, buckets: 2 });
    expect(buckets).toEqual([
      { fromMs: NOW - 1_000, counts: { error: 2, warn: 0, info: 0, debug: 0 } },
      { fromMs: NOW - 500, counts: { error: 0, warn: 1, info: 0, debug: 0 } },
    ]);
    expect(await store.lines.facets({}, 'instance', 9)).toEqual([
      { value: 'a', count: 2 },
      { value: 'b', count: 1 },
    ]);
    expect(await store.lines.facets({ level: 'error' }, 'level', 9)).toEqual([{ value: 'error', count: 2 }]);
    expect(await store.lines.facets({}, 'code', 9)).toEqual([{ value: '1', count: 2 }]);
    expect(await store.lines.facets({}, 'host', 9)).toEqual([{ value: 'a1', count: 3 }]);
    await expect(store.lines.facets({}, "x')--", 9)).rejects.toThrow(/named by/);
    expect(await store.lines.stats()).toMatchObject({ lines: 3, oldestMs: NOW - 1_000 });
  });

  it('keeps samples and thins them', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => ({
      id: `i${i % 2}`,
      kind: 'instance' as const,
      tsMs: NOW + i * 1_000,
      cpuRatio: (i % 10) / 10,
      memoryUsedBytes: 1_000,
    }));
    await store.samples.append(rows);
    await store.samples.append([{ id: 'h', kind: 'host', tsMs: NOW, cpuRatio: 1, memoryUsedBytes: 1 }]);
    const series = await store.samples.series('instance', { fromMs: NOW, points: 10 });
    expect(series.map((s) => [s.id, s.tsMs.length])).toEqual([
      ['i0', 10],
      ['i1', 10],
    ]);
    expect(series[0]?.tsMs).toEqual([...series[0]!.tsMs].sort((a, b) => a - b));
    expect(await store.samples.series('instance', { ids: ['i1'], fromMs: NOW + 98_500, points: 5 })).toEqual([
      { id: 'i1', tsMs: [NOW + 99_000], cpuRatio: [0.9], memoryUsedBytes: [1_000] },
    ]);
    expect(await store.samples.series('host', { ids: [], fromMs: 0, points: 5 })).toEqual([]);
    // They go with their time, also where no line goes.
    expect(await store.retain({ receivedBeforeMs: NOW + 98_000 })).toBeNull();
    const left = await store.samples.series('instance', { fromMs: 0, points: 500 });
    expect(left.map((s) => [s.id, s.tsMs])).toEqual([
      ['i0', [NOW + 98_000]],
      ['i1', [NOW + 99_000]],
    ]);
  });

  it('deletes by age of arrival, says how much, and keeps the cursors', async () => {
    await store.lines.append([batch(0, numbered(0, 10))]);
    await store.lines.append([batch(10, numbered(10, 5), { receivedMs: NOW + 5_000 })]);
    await store.lines.append([batch(0, numbered(0, 1), { agent: 'a2', receivedMs: NOW })]);
    expect(await store.retain({ receivedBeforeMs: NOW })).toBeNull();
    expect(await store.retain({ receivedBeforeMs: NOW + 100 })).toMatchObject({ lines: 11 });
    expect((await store.lines.query({}, { limit: 9 })).lines).toHaveLength(5);
    expect(await store.retain({ receivedBeforeMs: NOW + 6_000 })).toMatchObject({ lines: 5 });
    await store.close();
    store = await openLineStore(path(), { sealAfterMs: Infinity });
    expect((await store.lines.cursors('a1'))[0]?.next).toBe(15);
    expect((await store.lines.cursors('a2'))[0]?.next).toBe(1);
    expect(store.lines.newestOrdinal()).toBe(16);
    expect((await store.lines.query({}, { limit: 5 })).lines).toEqual([]);
  });

  it('frees room with what it deletes, so that a file at its limit is not emptied', async () => {
    const rowsOfABlock = 122_880;
    const texts = Array.from({ length: rowsOfABlock }, () => ({ message: randomBytes(24).toString('base64') }));
    await store.lines.append([batch(0, texts)]);
    await store.lines.append([batch(rowsOfABlock, numbered(0, 10), { receivedMs: NOW + 5_000 })]);
    const deleted = await store.retain({ receivedBeforeMs: NOW + 100 });
    expect(deleted?.lines).toBe(rowsOfABlock);
    expect(deleted?.freedBytes).toBeGreaterThan(0);
    expect((await store.lines.stats()).lines).toBe(10);
  });

  it('refuses a file of a newer program', async () => {
    await store.close();
    const instance = await DuckDBInstance.create(path());
    const connection = await instance.connect();
    const known = (await connection.runAndReadAll("SELECT value FROM meta WHERE name = 'schema'")).getRows()[0]?.[0];
    await connection.run("UPDATE meta SET value = 99 WHERE name = 'schema'");
    connection.closeSync();
    instance.closeSync();
    await expect(openLineStore(path())).rejects.toThrow(/newer WebVirt \(schema 99/);
    const again = await DuckDBInstance.create(path());
    const fix = await again.connect();
    await fix.run(`UPDATE meta SET value = ${known} WHERE name = 'schema'`);
    fix.closeSync();
    again.closeSync();
    store = await openLineStore(path(), { sealAfterMs: Infinity });
  });
});
