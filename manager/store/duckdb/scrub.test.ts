import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { UnreadableLines } from '../ports.ts';
import { batch, NOW, numbered } from './batch.testing.ts';
import { IndexShelf } from './index-shelf.ts';
import type { Segment } from './layout.ts';
import { type OpenLineStore, openLineStore } from './open.ts';
import { SegmentGuard } from './segment-guard.ts';
import { decodeIndex } from './segment-index.ts';

const BLOCK = 8_192;
/** Three blocks, and one in a file of its own. */
const FILES = [20_000, 300];
const HOUR_MS = 3_600_000;

let dir: string;
let store: OpenLineStore;
let told: ({ file: string } & UnreadableLines)[];
let onTold: () => void;

const open = async (scrubEveryMs: number | null) => {
  const onDamaged = (what: { file: string } & UnreadableLines) => {
    told.push(what);
    onTold();
  };
  store = await openLineStore(join(dir, 'lines.duckdb'), {
    sealAfterMs: Infinity,
    scrubEveryMs,
    scrubShare: 1,
    onDamaged,
  });
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-scrub-'));
  told = [];
  onTold = () => undefined;
  await open(null);
  let first = 0;
  for (const count of FILES) {
    await store.lines.append([batch(first, numbered(first, count, 1), { receivedMs: NOW + 99_999 })]);
    await store.seal();
    first += count;
  }
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const files = () =>
  readdirSync(join(dir, 'lines'))
    .filter((name) => name.endsWith('.parquet'))
    .sort((a, b) => Number(/-(\d+)\./.exec(a)![1]) - Number(/-(\d+)\./.exec(b)![1]));
const pathOf = (name: string) => join(dir, 'lines', name);

/** Where a block begins, from its index. */
function flipBlock(name: string, block: number): void {
  const { index } = decodeIndex(readFileSync(pathOf(name).replace('.parquet', '.index')))!;
  const bytes = readFileSync(pathOf(name));
  bytes[index.sealed!.places.starts[block]! + 50]! ^= 1;
  writeFileSync(pathOf(name), bytes);
}

const nextTold = () =>
  new Promise<void>((resolve) => {
    onTold = resolve;
  });
const scrubOf = async () => (await store.lines.stats()).scrub!;

it('finds a damaged block that nobody asked for, says it once, and sees when the file was put back', async () => {
  const [name] = files();
  await store.close();
  await open(1);
  await expect.poll(async () => (await scrubOf()).lastPassMs).not.toBeNull();
  expect(told).toEqual([]);
  const found = nextTold();
  flipBlock(name!, 1);
  await found;
  const lost = { lines: BLOCK, fromMs: NOW + BLOCK, toMs: NOW + 2 * BLOCK - 1 };
  expect(told).toEqual([{ file: name, ...lost }]);
  expect((await store.lines.stats()).unreadable).toEqual([{ file: name, ...lost }]);
  // The next pass meets it again: that is no news.
  const { lastPassMs } = await scrubOf();
  await expect.poll(async () => (await scrubOf()).lastPassMs).toBeGreaterThan(lastPassMs! + 1);
  flipBlock(name!, 1);
  await expect.poll(async () => (await store.lines.stats()).unreadable).toEqual([]);
  expect(told).toHaveLength(1);
});

it('goes on behind a restart where it was, a block at a time', async () => {
  const [large, small] = files();
  flipBlock(small!, 0);
  const total = FILES[0]! + FILES[1]!;
  for (const checkedLines of [BLOCK, 2 * BLOCK, FILES[0]!]) {
    await store.close();
    await open(1_000 * HOUR_MS);
    // At its start it reads one; then it rests for an hour.
    await expect.poll(scrubOf).toMatchObject({ lines: total, checkedLines, lastPassMs: null });
    expect(told).toEqual([]);
  }
  await store.close();
  const found = nextTold();
  await open(1_000 * HOUR_MS);
  await found;
  expect(told).toMatchObject([{ file: small, lines: FILES[1] }]);
  // What says where it was is damaged: it begins anew.
  await expect.poll(scrubOf).toMatchObject({ checkedLines: total });
  await store.close();
  writeFileSync(pathOf('scrub.json'), '{"passStartedMs":');
  await open(1_000 * HOUR_MS);
  await expect.poll(scrubOf).toMatchObject({ checkedLines: BLOCK });
  expect(large).not.toBe(small);
});

it('rests until the time of the next pass has come', async () => {
  await store.close();
  const passStartedMs = Date.now() - HOUR_MS;
  const place = { passStartedMs, lastMs: passStartedMs - 1, segment: 99, group: 0, lines: 0 };
  writeFileSync(pathOf('scrub.json'), JSON.stringify(place));
  flipBlock(files()[0]!, 0);
  await open(2 * HOUR_MS);
  await expect.poll(scrubOf).toMatchObject({ passStartedMs, lastPassMs: place.lastMs });
  await store.close();
  await open(HOUR_MS);
  await expect.poll(async () => (await scrubOf()).passStartedMs).toBeGreaterThan(passStartedMs);
  expect((await scrubOf()).lastPassMs).toBe((await scrubOf()).passStartedMs);
  expect(told).toEqual([]);
  await store.close();
  const found = nextTold();
  await open(HOUR_MS);
  await found;
});

it('tells of a file that is gone once, and makes a damaged index anew', async () => {
  const [large, small] = files();
  const index = pathOf(small!).replace('.parquet', '.index');
  await store.close();
  await open(1);
  await store.lines.count({});
  const whole = readFileSync(index);
  writeFileSync(index, whole.subarray(0, whole.length - 100));
  await expect.poll(() => decodeIndex(readFileSync(index)) !== null).toBe(true);
  expect(told).toEqual([]);
  const found = nextTold();
  unlinkSync(pathOf(large!));
  await found;
  // All of its blocks at once.
  expect(told).toMatchObject([{ file: large, lines: FILES[0] }]);
});

it('takes a file that was deleted meanwhile for no damage', async () => {
  const [name] = files();
  await store.close();
  const lost: UnreadableLines[] = [];
  const guard = new SegmentGuard(join(dir, 'lines'), (_, lines) => void lost.push(lines));
  const segment = { file: name! } as Segment;
  const loaded = (await new IndexShelf(join(dir, 'lines'), 1e9, () => undefined).get(segment))!;
  await guard.recheck(segment, loaded, 0, () => true);
  unlinkSync(pathOf(name!));
  await guard.recheck(segment, loaded, 0, () => false);
  expect(lost).toEqual([]);
  await guard.recheck(segment, loaded, 0, () => true);
  expect(lost).toMatchObject([{ lines: BLOCK }]);
  await open(null);
});
