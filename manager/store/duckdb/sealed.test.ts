import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEVELS } from '../../../common/model/line.ts';
import { batch, NOW, numbered } from './batch.testing.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

let dir: string;
let store: OpenLineStore;
const DAY = 86_400_000;
const open = () => openLineStore(join(dir, 'lines.duckdb'), { sealAfterMs: Infinity });
const messages = async (q?: string) =>
  (await store.lines.since(q === undefined ? {} : { q }, 0, 1e6)).lines.map((line) => line.message);

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-sealed-'));
  store = await open();
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

/** Day after day, one file each: a line of every level. */
async function days(count: number): Promise<void> {
  for (let day = 0; day < count; day += 1) {
    const lines = LEVELS.map((level) => ({ level, message: `${level} ${day}`, tsMs: NOW + day * DAY }));
    await store.lines.append([batch(day * LEVELS.length, lines, { receivedMs: NOW + day * DAY })]);
    await store.seal();
  }
}

describe('reads while lines are sealed', () => {
  it('see every line once, in whatever place it is', async () => {
    let done = false;
    let reads = 0;
    const write = async () => {
      for (let i = 0; i < 30; i += 1) {
        await store.lines.append([batch(i * 100, numbered(i * 100, 100, 1))]);
        if (i % 3 === 0) void store.seal();
      }
      await store.seal();
      done = true;
    };
    const read = async () => {
      while (!done) {
        const { lines } = await store.lines.since({}, 0, 1e6);
        expect(lines.map((line) => line.message)).toEqual(lines.map((_, i) => `m${i}`));
        const counted = await store.lines.count({});
        expect(counted).toBeGreaterThanOrEqual(lines.length);
        expect(counted % 100).toBe(0);
        const page = await store.lines.query({}, { limit: 1e5 });
        expect(page.lines.length % 100).toBe(0);
        expect(new Set(page.lines.map((line) => line.id)).size).toBe(page.lines.length);
        reads += 1;
      }
    };
    await Promise.all([write(), read(), read()]);
    expect(reads).toBeGreaterThan(5);
    expect(await messages()).toHaveLength(3_000);
  });

  it('count exactly by time and level over files, new lines and steps that cut through both', async () => {
    const random = (i: number) => (Math.imul(i + 1, 2_654_435_761) >>> 0) / 2 ** 32;
    const all = Array.from({ length: 3_000 }, (_, i) => ({
      ...{ tsMs: NOW - Math.floor(random(i) * 10_000), message: `m${i}` },
      level: LEVELS[Math.floor(random(i + 5_000) * 4)]!,
    }));
    for (let i = 0; i < 3; i += 1) {
      await store.lines.append([batch(i * 1_000, all.slice(i * 1_000, (i + 1) * 1_000))]);
      if (i < 2) await store.seal();
    }
    for (const [fromMs, toMs, buckets] of [
      [NOW - 9_777, NOW - 333, 13],
      [NOW - 20_000, NOW + 5, 7],
      [NOW - 50, NOW, 50],
    ]) {
      const found = await store.lines.histogram({ level: 'warn' }, { fromMs: fromMs!, toMs: toMs!, buckets: buckets! });
      const stepMs = found[1]!.fromMs - found[0]!.fromMs;
      for (const { fromMs: from, counts } of found) {
        const inside = all.filter(({ tsMs }) => tsMs >= from && tsMs < Math.min(from + stepMs, toMs!));
        const of = (level: string) => inside.filter((line) => line.level === level).length;
        expect(counts).toEqual({ error: of('error'), warn: of('warn'), info: 0, debug: 0 });
      }
      const between = all.filter(({ tsMs }) => tsMs >= fromMs! && tsMs < toMs!).length;
      expect(await store.lines.count({ fromMs: fromMs!, toMs: toMs! })).toBe(between);
    }
  });
});

describe('retention of sealed lines', () => {
  it('keeps levels for different times, and what is marked', async () => {
    await days(6);
    const files = () => readdirSync(join(dir, 'lines')).filter((name) => name.endsWith('.parquet')).length;
    const rule = {
      receivedBeforeMs: NOW + 2 * DAY,
      levelsBeforeMs: { error: NOW, debug: NOW + 4 * DAY },
      keep: [{ fromMs: NOW + DAY, toMs: NOW + DAY + 1 }],
    };
    // Days 0 and 1 lose all but errors, days 2 and 3 only debug; day 1 is marked.
    expect(await store.retain(rule)).toMatchObject({ lines: 5, toMs: NOW + 3 * DAY });
    const of = (day: number, levels: readonly string[]) => levels.map((level) => `${level} ${day}`);
    const expected = [
      ...of(0, ['error']),
      ...of(1, LEVELS),
      ...of(2, ['error', 'warn', 'info']),
      ...of(3, ['error', 'warn', 'info']),
      ...of(4, LEVELS),
      ...of(5, LEVELS),
    ];
    expect(await messages()).toEqual(expected);
    expect(await store.retain(rule)).toBeNull();
    expect((await store.lines.stats()).lines).toBe(expected.length);
    expect(await store.lines.count({ level: 'info' })).toBe(expected.length - 3);
    // Without the mark, and for errors too: the first two files go as a whole.
    expect(await store.retain({ receivedBeforeMs: NOW + 2 * DAY })).toMatchObject({ lines: 5 });
    await store.close();
    store = await open();
    expect(files()).toBe(4);
    expect(await messages()).toEqual(expected.slice(5));
    expect(await store.lines.get(`a1.${'e'.repeat(16)}.0`)).toBeNull();
    expect((await store.lines.get(`a1.${'e'.repeat(16)}.8`))?.message).toBe('error 2');
    expect((await store.lines.cursors('a1'))[0]?.next).toBe(24);
  });

  it('takes the oldest file when all together is too large, but nothing that is marked', async () => {
    await days(3);
    const keep = [{ fromMs: NOW, toMs: NOW + 1 }];
    expect(await store.retain({ receivedBeforeMs: 0, limitBytes: 1, keep })).toMatchObject({
      lines: 4,
      toMs: NOW + DAY,
    });
    expect((await messages()).map((text) => text.at(-1))).toEqual([...'00002222']);
    expect(await store.retain({ receivedBeforeMs: 0, limitBytes: 1, keep })).toMatchObject({ lines: 4 });
    expect(await store.retain({ receivedBeforeMs: 0, limitBytes: 1, keep })).toBeNull();
    expect(await store.retain({ receivedBeforeMs: 0, limitBytes: 1 })).toMatchObject({ lines: 4 });
    expect(await messages()).toEqual([]);
  });

  it('leaves a file to the search that began before it went', async () => {
    await days(3);
    const seen: string[] = [];
    let removed: Promise<unknown> | null = null;
    await store.lines.search(
      {},
      {
        limit: 100,
        onFound: (lines) => seen.push(...lines.map((line) => line.message)),
        onLooked() {
          removed ??= store.retain({ receivedBeforeMs: NOW + 3 * DAY });
        },
      },
    );
    await removed;
    expect(seen).toHaveLength(12);
    expect(await messages()).toEqual([]);
  });
});

describe('a file of sealed lines', () => {
  it('is read by any program that knows Parquet, by plain names', async () => {
    await store.lines.append([batch(0, [{ message: 'one', unit: 'u', fields: { a: 1 } }, { message: 'two' }])]);
    await store.seal();
    await store.close();
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const path = join(dir, 'lines', '*.parquet');
    const rows = await connection.runAndReadAll(
      `SELECT ts_ms, received_ms, level, source, host, host_name, unit, message, fields FROM read_parquet('${path}') ORDER BY ordinal`,
    );
    expect(rows.getRowsJson()).toEqual([
      [String(NOW), String(NOW + 10), 2, 1, 'a1', 'one', 'u', 'one', '{"a":1}'],
      [String(NOW), String(NOW + 10), 2, 1, 'a1', 'one', null, 'two', null],
    ]);
    connection.closeSync();
    instance.closeSync();
    store = await open();
    expect(existsSync(join(dir, 'lines'))).toBe(true);
  });
});
