import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { batch, NOW, numbered } from './batch.testing.ts';
import { smallNeighbours } from './merge.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

const DAY = 86_400_000;
const SEALING = { sealLines: 10_000, sealAfterMs: Infinity };
let dir: string;
let store: OpenLineStore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-upkeep-'));
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const files = () => readdirSync(join(dir, 'lines')).filter((name) => name.endsWith('.parquet')).length;
const sizeOfFile = () => statSync(join(dir, 'lines.duckdb')).size;
const upTo = (to: number) => Array.from({ length: to }, (_, i) => `m${i}`);
const messages = async () => (await store.lines.since({}, 0, 1e6)).lines.map(({ message }) => message);

async function sealedParts(count: number, lines: number, everyMs: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const at = { receivedMs: NOW + 60_000 + i * everyMs };
    await store.lines.append([batch(i * lines, numbered(i * lines, lines, 1), at)]);
    await store.seal();
  }
}

it('makes one file of eight small ones, and every line is there once, where it was', async () => {
  store = await openLineStore(join(dir, 'lines.duckdb'), SEALING);
  await sealedParts(9, 100, 1_000);
  const newest = await store.lines.query({}, { limit: 1_000 });
  expect(files()).toBe(9);
  await store.tidy();
  await store.close();
  store = await openLineStore(join(dir, 'lines.duckdb'), SEALING);
  expect(files()).toBe(2);
  expect(await messages()).toEqual(upTo(900));
  expect(await store.lines.query({}, { limit: 1_000 })).toEqual(newest);
  expect(await store.lines.count({})).toBe(900);
  expect((await store.lines.query({ q: 'm345' }, { limit: 9 })).lines).toHaveLength(1);
  expect((await store.lines.stats()).lines).toBe(900);
  await store.tidy();
  expect(files()).toBe(2);
});

it('leaves files as they are that are large, or received on different days', async () => {
  store = await openLineStore(join(dir, 'lines.duckdb'), SEALING);
  await sealedParts(8, 10, DAY / 4);
  await store.tidy();
  expect(files()).toBe(8);
  const segment = (lines: number, atMs: number) => ({ lines, minReceivedMs: atMs, maxReceivedMs: atMs + 1_000 });
  const chosen = (list: ReturnType<typeof segment>[]) =>
    smallNeighbours(list as unknown as Parameters<typeof smallNeighbours>[0], 800)?.map((one) =>
      list.indexOf(one as never),
    ) ?? null;
  const small = (count: number) => Array.from({ length: count }, (_, i) => segment(99, i * 1_000));
  expect(chosen(small(8))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(chosen(small(7))).toBeNull();
  expect(chosen([...small(5), segment(100, 6_000), ...small(7)])).toBeNull();
  expect(chosen([segment(1, -2 * DAY), ...small(8)])).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

it('gives free room of the database file back, while somebody reads, and takes lines as before', async () => {
  const path = join(dir, 'lines.duckdb');
  store = await openLineStore(path, { ...SEALING, checkpointBytes: 1024 ** 2, freeBytes: 1024 ** 2 });
  const text = 'x'.repeat(2_000);
  const long = (from: number) => numbered(from, 1_000).map((line) => ({ ...line, message: `${line.message} ${text}` }));
  for (let i = 0; i < 8; i += 1) await store.lines.append([batch(i * 1_000, long(i * 1_000))]);
  await store.seal();
  await store.lines.append([batch(8_000, numbered(8_000, 10))]);
  const before = sizeOfFile();
  let done = false;
  let reads = 0;
  const read = async () => {
    while (!done) {
      expect(await store.lines.count({})).toBe(8_010);
      reads += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const reading = read();
  await store.tidy();
  done = true;
  await reading;
  expect(reads).toBeGreaterThan(0);
  expect(sizeOfFile()).toBeLessThan(before / 2);
  expect(readdirSync(dir).filter((name) => name.includes('unfinished'))).toEqual([]);
  await store.lines.append([batch(8_010, numbered(8_010, 10))]);
  expect((await store.lines.cursors('a1'))[0]?.next).toBe(8_020);
  await store.close();
  store = await openLineStore(path, SEALING);
  expect((await messages()).map((message) => message.split(' ')[0])).toEqual(upTo(8_020));
});
