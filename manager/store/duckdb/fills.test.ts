import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import type { LineBatch } from '../ports.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

let dir: string;
let store: OpenLineStore;
const path = () => join(dir, 'lines.duckdb');
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-fills-'));
  store = await openLineStore(path());
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const hashOf = (next: number) => String(next).padStart(32, '0');

function linesOf(first: number, count: number, epoch = 'e1'): LineBatch {
  const builder = new ColumnBuilder();
  for (let i = 0; i < count; i += 1)
    builder.add({ tsMs: 1_000, level: 'info', source: 'agent', message: `${first + i}` });
  const rest = { receivedMs: 2_000, columns: builder.take(), gap: null };
  return { agent: 'a', host: 'a', hostName: 'alpha', epoch, first, count, hash: hashOf(first + count), ...rest };
}
function gapOf(from: number, to: number): LineBatch {
  const gap = { from, to, reason: 'spool-full', bytes: 10, firstTsMs: 500 };
  return { ...linesOf(from, 1), count: to - from + 1, hash: hashOf(to + 1), columns: null, gap };
}
const stored = async () =>
  (await store.lines.since({}, 0, 1_000)).lines
    .filter((line) => line.fields?.['gap'] === undefined)
    .map((line) => Number(line.id.split('.')[2]))
    .sort((a, b) => a - b);

describe('the ledger', () => {
  it('says what became of every number, also over a restart', async () => {
    expect(await store.lines.ledger()).toEqual([]);
    await store.lines.append([linesOf(0, 3), gapOf(3, 9), linesOf(10, 5)]);
    await store.lines.append([{ ...linesOf(0, 2, 'e2'), receivedMs: 3_000 }]);
    const one = { agent: 'a', host: 'a', hostName: 'alpha', firstMs: 2_000, lastMs: 2_000, epoch: 'e1', next: 15 };
    const gap = { from: 3, to: 9, reason: 'spool-full', bytes: 10, firstTsMs: 500, receivedMs: 2_000, filled: 0 };
    const two = { ...one, epoch: 'e2', next: 2, firstMs: 3_000, lastMs: 3_000 };
    const all = [
      { ...two, lines: 2, lost: 0, gaps: [], gapCount: 0 },
      { ...one, lines: 8, lost: 7, gaps: [gap], gapCount: 1 },
    ];
    expect(await store.lines.ledger()).toEqual(all);
    expect(await store.lines.ledger('b')).toEqual([]);
    await store.close();
    store = await openLineStore(path());
    expect(await store.lines.ledger('a')).toEqual(all);
  });

  it('fills a gap once, and only what is missing of it', async () => {
    await store.lines.append([linesOf(0, 3), gapOf(3, 9), linesOf(10, 5)]);
    // Over the edge at the front; again, over what is there; and behind everything.
    expect((await store.lines.fill(linesOf(1, 5))).map(({ first, count }) => [first, count])).toEqual([[3, 3]]);
    expect(await store.lines.fill(linesOf(1, 5))).toEqual([]);
    expect(await store.lines.fill(linesOf(12, 9))).toEqual([]);
    expect(await store.lines.fill(linesOf(3, 3, 'e9'))).toEqual([]);
    const [entry] = await store.lines.ledger();
    expect(entry).toMatchObject({ next: 15, lines: 11, lost: 4, gapCount: 1 });
    expect(entry?.gaps[0]?.filled).toBe(3);
    expect(await store.lines.hashAt('a', 'e1', 6)).toBe(hashOf(6));
    expect((await store.lines.fill(linesOf(0, 20))).map(({ first, count }) => [first, count])).toEqual([[6, 4]]);
    expect(await store.lines.ledger()).toMatchObject([{ next: 15, lines: 15, lost: 0 }]);
    expect(await stored()).toEqual(Array.from({ length: 15 }, (_, i) => i));
    // The cursor did not move, and arrival numbers go on behind the filled ones over a restart.
    expect(await store.lines.cursors('a')).toEqual([{ epoch: 'e1', next: 15, hash: hashOf(15) }]);
    const newest = store.lines.newestOrdinal();
    await store.close();
    store = await openLineStore(path());
    expect(store.lines.newestOrdinal()).toBe(newest);
    const [next] = await store.lines.append([linesOf(15, 1)]);
    expect(next?.ordinal).toBe(newest + 1);
  });

  it('counts as many lines as there are after any schedule of lines, gaps and fills (L14)', async () => {
    let seed = 11;
    const random = (limit: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    let next = 0;
    const there = new Set<number>();
    for (let round = 0; round < 120; round += 1) {
      const count = 1 + random(6);
      if (random(3) === 0 && next > 0) {
        const first = random(next);
        // Its numbers may be stored, missing, both, or beyond the end.
        for (const part of await store.lines.fill(linesOf(first, count)))
          for (let i = 0; i < part.count; i += 1) {
            expect(there.has(part.first + i)).toBe(false);
            there.add(part.first + i);
          }
      } else {
        const isGap = random(3) === 0;
        await store.lines.append([isGap ? gapOf(next, next + count - 1) : linesOf(next, count)]);
        for (let i = 0; i < count && !isGap; i += 1) there.add(next + i);
        next += count;
      }
      const [entry] = await store.lines.ledger();
      expect(entry).toMatchObject({ next, lines: there.size, lost: next - there.size });
    }
    expect(await stored()).toEqual([...there].sort((a, b) => a - b));
  });
});
