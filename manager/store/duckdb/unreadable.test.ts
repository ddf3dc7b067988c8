import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { UnreadableLines } from '../ports.ts';
import { batch, NOW, numbered } from './batch.testing.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

// What every answer says of lines that are stored and cannot be read, with real damage to real files.

const LINES = 20_000;
/** Lines of the first block. */
const BLOCK = 8_192;

let dir: string;
let store: OpenLineStore;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-unreadable-'));
  store = await openLineStore(join(dir, 'lines.duckdb'), { sealAfterMs: Infinity });
  await store.lines.append([batch(0, numbered(0, LINES, 1), { receivedMs: NOW + LINES })]);
  await store.seal();
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const sealedFile = () => join(dir, 'lines', readdirSync(join(dir, 'lines')).find((one) => one.endsWith('.parquet'))!);

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

/** Asks in every way that counts. Answers what each of them says is lost, and the counts. */
async function askAll(q: string) {
  const { lines } = store;
  const said: Record<string, UnreadableLines[]> = {};
  const note = (way: string) => (lost: ReadonlyMap<string, UnreadableLines>) => {
    said[way] = [...lost.values()];
  };
  const range = { fromMs: NOW, toMs: NOW + LINES, buckets: 20 };
  const filter = q === '' ? {} : { q };
  const bars = await lines.histogram(filter, range, undefined, note('histogram'));
  const counts = {
    count: await lines.count(filter, undefined, note('count')),
    facets: (await lines.facets(filter, 'level', 9, undefined, note('facets')))[0]?.count ?? 0,
    histogram: bars.reduce((sum, bar) => sum + bar.counts.info, 0),
    since: (await lines.since(filter, 0, LINES, undefined, note('since'))).lines.length,
  };
  return { said, counts };
}

const LOST = [{ lines: BLOCK, fromMs: NOW, toMs: NOW + BLOCK - 1 }];
const WAYS = ['count', 'facets', 'histogram', 'since'];

it('nothing is said of a store that is whole', async () => {
  expect((await askAll('m')).said).toEqual({});
  expect((await askAll('')).said).toEqual({});
  expect((await store.lines.stats()).unreadable).toEqual([]);
});

it('counts, bars, facets and exports leave a damaged block out and say so, as a search does', async () => {
  const { said: before, counts: all } = await askAll('m');
  expect([before, all.count]).toEqual([{}, LINES]);
  flip(sealedFile(), 100);
  const { unreadable } = await store.lines.query({ q: 'm' }, { limit: LINES });
  expect(unreadable).toEqual(LOST);
  const { said, counts } = await askAll('m');
  expect(said).toEqual(Object.fromEntries(WAYS.map((way) => [way, LOST])));
  expect(new Set(Object.values(counts))).toEqual(new Set([LINES - BLOCK]));
  const file = readdirSync(join(dir, 'lines')).find((one) => one.endsWith('.parquet'));
  expect((await store.lines.stats()).unreadable).toEqual([{ file, ...LOST[0] }]);
  // Where no line of the block could match, nothing is said.
  let told = 0;
  const later = { q: 'm', fromMs: NOW + BLOCK };
  await store.lines.count(later, undefined, () => {
    told += 1;
  });
  expect(told).toBe(0);
});

it('a small question that reads its few blocks by themselves says it too', async () => {
  flip(sealedFile(), 100);
  const said: UnreadableLines[][] = [];
  expect(await store.lines.count({ q: '"m77"' }, undefined, (lost) => void said.push([...lost.values()]))).toBe(0);
  expect(said).toEqual([LOST]);
});

it('what is counted by level alone has the lines still, and says it of damage that is known', async () => {
  flip(sealedFile(), 100);
  expect((await askAll('')).counts).toMatchObject({ count: LINES, histogram: LINES });
  await store.lines.count({ q: 'm' });
  const { said, counts } = await askAll('');
  expect(said).toEqual(Object.fromEntries(WAYS.map((way) => [way, LOST])));
  expect(counts).toMatchObject({ count: LINES, histogram: LINES, since: LINES - BLOCK });
  // It has lines of level info alone.
  let told = false;
  const onUnreadable = () => {
    told = true;
  };
  expect(await store.lines.count({ level: 'warn' }, undefined, onUnreadable)).toBe(0);
  expect(told).toBe(false);
  // Put back, it is whole again for everybody.
  flip(sealedFile(), 100);
  expect((await askAll('')).said).toEqual({});
  expect((await store.lines.stats()).unreadable).toEqual([]);
});

it('a file that is gone is missing in what is counted by level too, and said', async () => {
  const path = sealedFile();
  await store.close();
  unlinkSync(path);
  unlinkSync(path.replace('.parquet', '.index'));
  store = await openLineStore(join(dir, 'lines.duckdb'), { sealAfterMs: Infinity });
  const all = [{ lines: LINES, fromMs: NOW, toMs: NOW + LINES - 1 }];
  for (const q of ['', 'm']) {
    const { said, counts } = await askAll(q);
    expect(said).toEqual(Object.fromEntries(WAYS.map((way) => [way, all])));
    expect(counts.count).toBe(0);
  }
});
