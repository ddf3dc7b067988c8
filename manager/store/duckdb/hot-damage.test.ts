import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LineBatch } from '../ports.ts';
import { batch, EPOCH, NOW, numbered } from './batch.testing.ts';
import { type OpenLineStore, openLineStore } from './open.ts';
import type { SetAside } from './set-aside.ts';

let dir: string;
let path: string;
let store: OpenLineStore;
let aside: SetAside[];
const open = () => openLineStore(path, { sealAfterMs: Infinity, onSetAside: (what) => aside.push(what) });
const messages = async () => (await store.lines.since({}, 0, 1e5)).lines.map(({ message }) => message);
const gapOf = (first: number, count: number): LineBatch => ({
  ...batch(first, [{}], { count, columns: null }),
  gap: { from: first, to: first + count - 1, bytes: 9, reason: 'the disk was full' },
});

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-hot-damage-'));
  path = join(dir, 'lines.duckdb');
  aside = [];
  store = await open();
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

it('L16: begins a damaged file anew with the sealed lines, their ledger and their gaps, and says so', async () => {
  await store.lines.append([batch(0, numbered(0, 50)), gapOf(50, 20), batch(70, numbered(70, 30))]);
  await store.seal();
  await store.lines.fill(batch(55, numbered(55, 5)));
  await store.lines.append([batch(0, numbered(0, 10), { agent: 'b2', host: 'b2' }), gapOf(100, 5)]);
  await store.seal();
  const before = await messages();
  const ledger = await store.lines.ledger();
  await store.lines.append([batch(105, numbered(105, 40))]);
  await store.close();
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 4_096) bytes[at + 40]! ^= 1;
  writeFileSync(path, bytes);
  store = await open();
  expect(aside).toMatchObject([{ wholeFile: true }]);
  expect(readFileSync(aside[0]!.file).equals(bytes)).toBe(true);
  expect(await messages()).toEqual(before);
  expect(await store.lines.cursors('a1')).toMatchObject([{ epoch: EPOCH, next: 105 }]);
  const sorted = (all: typeof ledger) =>
    all.map((one) => ({ ...one, lastMs: 0 })).sort((a, b) => (a.agent < b.agent ? -1 : 1));
  expect(sorted(await store.lines.ledger())).toEqual(sorted(ledger));
  for (const seq of [3, 50, 57, 99])
    expect((await store.lines.get(`a1.${EPOCH}.${seq}`))?.id).toBe(`a1.${EPOCH}.${seq}`);
  // What comes next goes on where the sealed lines end, and is not taken for something old.
  await store.lines.append([batch(105, numbered(105, 3))]);
  await store.seal();
  await store.close();
  store = await open();
  expect(await messages()).toEqual([...before, 'm105', 'm106', 'm107']);
  expect(aside).toHaveLength(1);
});

it('keeps what stands before a damaged place of the log', async () => {
  for (let i = 0; i < 5; i += 1) await store.lines.append([batch(i * 100, numbered(i * 100, 100))]);
  const [copy, log] = [readFileSync(path), readFileSync(`${path}.wal`)];
  await store.close();
  log[log.length - 2_000]! ^= 8;
  writeFileSync(path, copy);
  writeFileSync(`${path}.wal`, log);
  store = await open();
  expect(aside).toMatchObject([{ wholeFile: false }]);
  const left = await messages();
  expect(left.length).toBeGreaterThanOrEqual(300);
  expect(left.length % 100).toBe(0);
  expect((await store.lines.cursors('a1'))[0]!.next).toBe(left.length);
  await store.lines.append([batch(left.length, numbered(left.length, 1))]);
  expect(await messages()).toHaveLength(left.length + 1);
});

it('leaves a file alone that a newer program wrote', async () => {
  await store.close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run("UPDATE meta SET value = 99 WHERE name = 'schema'");
  connection.closeSync();
  instance.closeSync();
  await expect(open()).rejects.toMatchObject({ code: 'store-unavailable', message: expect.stringContaining('newer') });
  expect(readdirSync(dir).filter((name) => name.includes('damaged'))).toEqual([]);
  path = join(dir, 'other.duckdb');
  store = await open();
});

it('L16: opens whatever became of the file and its log', async () => {
  for (let i = 0; i < 4; i += 1) {
    await store.lines.append([batch(i * 500, numbered(i * 500, 500, 1), { receivedMs: NOW + i })]);
    if (i === 1) await store.seal();
  }
  const whole = { file: readFileSync(path), log: readFileSync(`${path}.wal`) };
  await store.close();
  let state = 99;
  const random = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const files = readdirSync(join(dir, 'lines')).filter((name) => name.includes('.'));
  const spare = files.map((name) => ({
    name,
    bytes: readFileSync(join(dir, 'lines', name)),
  }));
  for (let round = 0; round < 12; round += 1) {
    const file = Buffer.from(whole.file);
    let log = Buffer.from(whole.log);
    const target = random(2) === 0 ? file : log;
    const at = random(target.length);
    if (random(2) === 0) target.fill(0, at, Math.min(target.length, at + 4_096));
    else target[at]! ^= 1 << random(8);
    if (random(4) === 0) log = log.subarray(0, random(log.length));
    writeFileSync(path, file);
    writeFileSync(`${path}.wal`, log);
    store = await open();
    const left = await messages();
    // The sealed ones are there, and what is there is in order and ends where the cursor says.
    expect(left.length).toBeGreaterThanOrEqual(1_000);
    expect(left).toEqual(left.map((_, i) => `m${i}`));
    expect((await store.lines.cursors('a1'))[0]!.next).toBe(left.length);
    await store.close();
    for (const { name, bytes } of spare) writeFileSync(join(dir, 'lines', name), bytes);
  }
  expect(aside.length).toBeGreaterThan(3);
  store = await open();
});
