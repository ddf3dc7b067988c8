import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batch, numbered } from './batch.testing.ts';
import { openLineStore } from './open.ts';
import type { SealOrder } from './seal-child.testing.ts';

/** Where the program of the child is made; it finds its packages from there. */
const CHILD = resolve(import.meta.dirname, `../../../.cache/test/seal-child-${process.pid}.mjs`);
const dir = mkdtempSync(join(tmpdir(), 'webvirt-seal-'));

beforeAll(async () => {
  const entryPoints = [resolve(import.meta.dirname, 'seal-child.testing.ts')];
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', target: 'node20' } as const;
  await build({ ...options, entryPoints, outfile: CHILD });
});
afterAll(() => {
  rmSync(CHILD, { force: true });
  rmSync(dir, { recursive: true });
});

/** Runs a child until it kills itself; answers the last number that it was told to be durable. */
async function untilKilled(order: SealOrder): Promise<number> {
  const child: ChildProcess = fork(CHILD, [JSON.stringify(order)]);
  let next = 0;
  const errors: string[] = [];
  child.on('message', (said: { next?: number; error?: string }) => {
    next = said.next ?? next;
    if (said.error !== undefined) errors.push(said.error);
  });
  expect(await new Promise((done) => child.once('exit', (_code, signal) => done(signal)))).toBe('SIGKILL');
  expect(errors).toEqual([]);
  return next;
}

const numberOf = ({ message }: { message: string }) => Number(/^m(\d+)/.exec(message)?.[1]);

async function stored(path: string): Promise<{ numbers: number[]; lines: number; newest: number[] }> {
  const store = await openLineStore(path, { sealAfterMs: Infinity, sealLines: Infinity });
  const numbers = (await store.lines.since({}, 0, 1e6)).lines.map((line) => numberOf(line));
  const newest = (await store.lines.query({}, { limit: 1e5 })).lines.map((line) => numberOf(line));
  const { lines } = await store.lines.stats();
  expect(await store.lines.count({})).toBe(lines);
  await store.close();
  return { numbers, lines, newest };
}

describe('a manager that is killed while it seals', () => {
  it.each([
    ['S1 the lines are in a table of their own', 'S1'],
    ['S2 the file is written, without its name', 'S2'],
    ['S3 the file has its name, no row names it', 'S3'],
    ['S4 inside the transaction that names it', 'S4'],
    ['S5 the file is named, the table is gone', 'S5'],
  ] as const)('at %s: no line is lost, none is there twice', async (_, at) => {
    const path = join(dir, `${at}.duckdb`);
    let acked = 0;
    for (const pass of [1, 2, 1]) acked = Math.max(acked, await untilKilled({ path, kill: { at, pass } }));
    const { numbers, lines, newest } = await stored(path);
    expect(numbers.length).toBeGreaterThanOrEqual(acked);
    expect(numbers).toEqual(numbers.map((_number, i) => i));
    expect(newest.toReversed()).toEqual(numbers);
    expect(lines).toBe(numbers.length);
    const files = readdirSync(join(dir, at));
    expect(files.filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });
});

describe('a manager that is killed while it tidies up', () => {
  it.each([
    ['G1 small files are being written as one', 'G1', 'files'],
    ['G2 inside the transaction that names it', 'G2', 'files'],
    ['G3 behind it, the small ones are still there', 'G3', 'files'],
    ['G4 the database file is written anew, without its name', 'G4', 'database'],
    ['G5 the new one has its name', 'G5', 'database'],
  ] as const)('at %s: no line is lost, none is there twice', async (_, at, tidy) => {
    const path = join(dir, `${at}.duckdb`);
    let acked = 0;
    for (const pass of [1, 1]) acked = Math.max(acked, await untilKilled({ path, kill: { at, pass }, tidy }));
    const { numbers, lines, newest } = await stored(path);
    expect(numbers.length).toBeGreaterThanOrEqual(acked);
    expect(numbers).toEqual(numbers.map((_number, i) => i));
    expect(newest.toReversed()).toEqual(numbers);
    expect(lines).toBe(numbers.length);
    expect(readdirSync(dir).filter((name) => name.includes('.unfinished'))).toEqual([]);
    expect(readdirSync(join(dir, at)).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });
});

describe('the folder of sealed lines', () => {
  it('is tidied: what no row names goes, a file that is cut off is made whole, a side file is made anew', async () => {
    const path = join(dir, 'tidy.duckdb');
    const folder = join(dir, 'tidy');
    const damaged: string[] = [];
    const open = () =>
      openLineStore(path, { sealAfterMs: Infinity, onDamaged: ({ file, lines }) => damaged.push(`${file} ${lines}`) });
    let store = await open();
    for (let i = 0; i < 3; i += 1) {
      await store.lines.append([batch(i * 10, numbered(i * 10, 10, 1))]);
      await store.seal();
    }
    await store.close();
    const [first, second, third] = readdirSync(folder).filter((name) => name.endsWith('.parquet'));
    writeFileSync(join(folder, '20200101T000000Z-99.parquet'), 'left by a crash');
    writeFileSync(join(folder, 'notes.txt'), 'somebody else');
    const { size } = statSync(join(folder, first!));
    truncateSync(join(folder, first!), size - 1);
    rmSync(join(folder, second!.replace('.parquet', '.index')));
    writeFileSync(join(folder, third!.replace('.parquet', '.index')), 'WVINDEX1 damaged');
    store = await open();
    const messages = async () => (await store.lines.query({ q: 'm' }, { limit: 99 })).lines.map((line) => line.message);
    const left = Array.from({ length: 30 }, (_, i) => `m${29 - i}`);
    expect(await messages()).toEqual(left);
    expect(await store.lines.count({ q: 'm' })).toBe(30);
    expect(damaged).toEqual([]);
    // Behind the making anew of both side files.
    await store.retain({ receivedBeforeMs: 0 });
    expect(await messages()).toEqual(left);
    expect(await store.lines.count({})).toBe(30);
    const names = readdirSync(folder);
    expect(names).toContain('notes.txt');
    expect(names).not.toContain('20200101T000000Z-99.parquet');
    expect(names.filter((name) => name.endsWith('.index'))).toHaveLength(3);
    await store.close();
  });
});
