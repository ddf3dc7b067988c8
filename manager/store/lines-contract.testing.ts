import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Line, NewLine } from '../../common/model/line.ts';
import { batchOf, EPOCH, gapBatch, hashOf, NOW, numbered, OTHER_EPOCH } from './batch-of.testing.ts';
import { meaningContract } from './meaning-contract.testing.ts';
import type { LineStore } from './ports.ts';
import { questionsContract } from './questions-contract.testing.ts';

/** An empty store of lines, for one test. */
export interface StoreInTest {
  lines(): LineStore;
  /** Closes it as an orderly end does, and opens it again. */
  reopen(): Promise<void>;
  remove(): Promise<void>;
}

const messages = (lines: Line[]) => lines.map((line) => line.message);

/** What every store of lines must do. Both engines run it: what differs between them is no promise. */
export function lineStoreContract(name: string, open: () => Promise<StoreInTest>): void {
  describe(`${name} keeps the contract of a store of lines:`, () => {
    let opened: StoreInTest;
    const lines = () => opened.lines();
    beforeEach(async () => {
      opened = await open();
    }, 60_000);
    afterEach(() => opened.remove(), 60_000);

    it('stores each number once, where its epoch ended, and knows it after a restart', async () => {
      expect(lines().newestOrdinal()).toBe(0);
      expect(await lines().cursors('a1')).toEqual([]);
      expect(await lines().append([])).toEqual([]);
      const committed = await lines().append([batchOf(0, numbered(0, 3)), batchOf(3, numbered(3, 2))]);
      expect(committed.map(({ first, count }) => [first, count])).toEqual([
        [0, 3],
        [3, 2],
      ]);
      expect(committed[1]!.ordinal).toBe(committed[0]!.ordinal + 3);
      expect(lines().newestOrdinal()).toBe(committed[1]!.ordinal + 1);
      expect(await lines().cursors('a1')).toEqual([{ epoch: EPOCH, next: 5, hash: hashOf(5) }]);
      expect(await lines().hashAt('a1', EPOCH, 3)).toBe(hashOf(3));
      expect(await lines().hashAt('a1', EPOCH, 4)).toBeNull();
      // A replay, a hole, and a second batch that does not go on: nothing of them is stored.
      await expect(lines().append([batchOf(3, numbered(3, 2))])).rejects.toMatchObject({ code: 'internal' });
      await expect(lines().append([batchOf(5, numbered(5, 1)), batchOf(7, numbered(7, 1))])).rejects.toThrow();
      await lines().append([batchOf(5, numbered(5, 1))]);
      await lines().append([batchOf(0, numbered(0, 1), { epoch: OTHER_EPOCH, receivedMs: NOW + 20 })]);
      const newest = lines().newestOrdinal();
      await opened.reopen();
      expect((await lines().cursors('a1')).map(({ epoch, next }) => [epoch, next])).toEqual([
        [EPOCH, 6],
        [OTHER_EPOCH, 1],
      ]);
      expect(lines().newestOrdinal()).toBe(newest);
      const { lines: found } = await lines().query({}, { limit: 99 });
      expect(messages(found).sort()).toEqual(['m0', 'm0', 'm1', 'm2', 'm3', 'm4', 'm5']);
      expect(new Set(found.map((line) => line.id)).size).toBe(7);
      const [next] = await lines().append([batchOf(6, numbered(6, 1))]);
      expect(next!.ordinal).toBeGreaterThan(newest);
      expect((await lines().stats()).lines).toBe(8);
    });

    it('keeps the conservation law over any schedule of appends, gaps, fills and restarts', async () => {
      let seed = 7;
      const random = (limit: number) => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((seed / 2 ** 32) * limit);
      };
      let next = 0;
      const there = new Set<number>();
      for (let round = 0; round < 40; round += 1) {
        const count = 1 + random(6);
        const what = random(4);
        if (what === 0 && next > 0) {
          const first = random(next);
          for (const part of await lines().fill(batchOf(first, numbered(first, count))))
            for (let i = 0; i < part.count; i += 1) {
              expect(there.has(part.first + i)).toBe(false);
              there.add(part.first + i);
            }
        } else {
          const isGap = what === 1;
          await lines().append([isGap ? gapBatch(next, next + count - 1) : batchOf(next, numbered(next, count))]);
          for (let i = 0; i < count && !isGap; i += 1) there.add(next + i);
          next += count;
        }
        if (round === 20) await opened.reopen();
      }
      const [entry] = await lines().ledger();
      expect(entry).toMatchObject({ agent: 'a1', next, lines: there.size, lost: next - there.size });
      const { lines: all } = await lines().since({}, 0, 10_000);
      const stored = all.filter((line) => line.fields?.['gap'] === undefined);
      const numbers = stored.map((line) => Number(line.id.split('.')[2])).sort((a, b) => a - b);
      expect(numbers).toEqual([...there].sort((a, b) => a - b));
      for (const line of stored) expect(line.message).toBe(`m${line.id.split('.')[2]}`);
      expect(await lines().ledger('nobody')).toEqual([]);
    });

    it('gives every line back as it came, hostile text included', async () => {
      const hostile: Partial<NewLine>[] = [
        { message: 'nul \0 inside\r\nand a second row', unit: 'u\0v', fields: { a: { b: [1, 'ü'] }, n: null } },
        { message: '', level: 'error', source: 'qemu', instance: 'i', job: 'j', session: 's' },
        { message: '\ufeffmark 😀 \u202e', level: 'debug', source: 'external', unit: '\ufeffu', instance: '\ufeffi' },
        { message: 'x'.repeat(1024 ** 2) },
        { message: 'far', tsMs: NOW - 9e11, fields: { __proto__: 'x', 'a.b': true } },
      ];
      const half: Partial<NewLine> = { message: 'half \ud83d of a pair', fields: { half: '\ude00', 'k\ud83d': 1 } };
      await lines().append([batchOf(0, hostile), batchOf(5, [half])]);
      const { lines: found, next } = await lines().query({}, { limit: 10 });
      expect(next).toBeNull();
      const bySeq = new Map(found.map((line) => [Number(line.id.split('.')[2]), line]));
      for (const [i, given] of hostile.entries()) {
        const { message, level = 'info', source = 'agent', tsMs = NOW, ...rest } = given;
        expect(bySeq.get(i)).toEqual({
          ...{ id: `a1.${EPOCH}.${i}`, tsMs, receivedMs: NOW + 10, host: 'a1', hostName: 'One', agent: 'a1' },
          ...{ level, source, message, ...rest },
        });
      }
      // Half a pair is no character: it may be replaced, and everything beside it stays.
      const broken = bySeq.get(5)!;
      expect(broken.message.replace('\ud83d', '\ufffd')).toBe('half \ufffd of a pair');
      expect(broken.fields?.['half']).toMatch(/^[\ufffd\ude00]$/);
      expect((await lines().query({ q: 'half:*' }, { limit: 9 })).lines).toHaveLength(1);
      expect((await lines().query({ q: 'unit:"\ufeffu"' }, { limit: 9 })).lines).toHaveLength(1);
      expect((await lines().facets({}, 'unit', 9)).map(({ value }) => value).sort()).toEqual(['u\0v', '\ufeffu']);
    });

    it('stores a gap as one line, and finds lines by their ids', async () => {
      await lines().append([batchOf(0, numbered(0, 2)), gapBatch(2, 9), batchOf(10, numbered(10, 3))]);
      const gap = { from: 2, to: 9, reason: 'spool full', bytes: 800, lastTsMs: NOW - 5 };
      const line = await lines().get(`a1.${EPOCH}.2`);
      expect(line).toMatchObject({ level: 'warn', source: 'agent', fields: { gap }, tsMs: NOW - 5 });
      expect(line?.message).toBe('8 log lines are missing: spool full');
      expect((await lines().get(`a1.${EPOCH}.12`))?.message).toBe('m12');
      for (const id of [`a1.${EPOCH}.5`, `a1.${EPOCH}.13`, `a2.${EPOCH}.1`, `a1.${OTHER_EPOCH}.1`, 'nonsense', ''])
        expect(await lines().get(id)).toBeNull();
      const [entry] = await lines().ledger('a1');
      expect(entry).toMatchObject({ next: 13, lines: 5, lost: 8, gapCount: 1 });
      expect(entry?.gaps).toEqual([{ ...gap, receivedMs: NOW + 10, filled: 0 }]);
      const filled = await lines().fill(batchOf(4, numbered(4, 3)));
      expect(filled.map(({ first, count }) => [first, count])).toEqual([[4, 3]]);
      expect(await lines().fill(batchOf(4, numbered(4, 3)))).toEqual([]);
      expect((await lines().get(`a1.${EPOCH}.5`))?.message).toBe('m5');
      expect(await lines().ledger('a1')).toMatchObject([{ next: 13, lines: 8, lost: 5, gaps: [{ filled: 3 }] }]);
      expect((await lines().cursors('a1'))[0]?.next).toBe(13);
    });

    it('pages newest first by corrected time, late lines in their place, without a hole or a repeat', async () => {
      const times = Array.from({ length: 300 }, (_, i) => NOW - ((i * 7_919) % 300) * 40_000);
      for (let from = 0; from < 300; from += 50)
        await lines().append([
          batchOf(
            from,
            times.slice(from, from + 50).map((tsMs) => ({ tsMs, message: String(tsMs) })),
          ),
        ]);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await lines().query({}, cursor === undefined ? { limit: 37 } : { limit: 37, cursor });
        seen.push(...messages(page.lines));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual([...times].sort((a, b) => b - a).map(String));
      const part = await lines().query({ fromMs: NOW - 80_000, toMs: NOW }, { limit: 10 });
      expect(part.lines.map((line) => Number(line.message))).toEqual([NOW - 40_000, NOW - 80_000]);
      await expect(lines().query({}, { limit: 1, cursor: "1'; DROP" })).rejects.toMatchObject({ code: 'bad-request' });
      // Equal times: by arrival, and a page ends between them.
      await lines().append([batchOf(0, numbered(0, 5), { agent: 'a2', host: 'a2' })]);
      const first = await lines().query({ host: 'a2' }, { limit: 2 });
      const rest = await lines().query({ host: 'a2' }, { limit: 9, cursor: first.next! });
      expect(messages([...first.lines, ...rest.lines])).toEqual(['m4', 'm3', 'm2', 'm1', 'm0']);
    });

    it('orders by the time that an agent would have with a right clock, and never later than it came', async () => {
      await lines().append([
        batchOf(0, [
          { message: 'future', tsMs: NOW + 3e11 },
          { message: 'wild', tsMs: 1e300 },
        ]),
      ]);
      await lines().append([batchOf(2, [{ message: 'past', tsMs: NOW - 3e11 }, { message: 'now' }])]);
      const ahead = { agent: 'a2', host: 'a2', clockOffsetMs: 5_000 };
      await lines().append([batchOf(0, [{ message: 'corrected', tsMs: NOW + 4_000 }], ahead)]);
      const { lines: found } = await lines().query({}, { limit: 9 });
      expect(messages(found)).toEqual(['wild', 'future', 'now', 'corrected', 'past']);
      expect(found.map((line) => line.sortMs)).toEqual([NOW + 10, NOW + 10, undefined, NOW - 1_000, undefined]);
      const corrected = await lines().query({ fromMs: NOW - 1_000, toMs: NOW - 999 }, { limit: 9 });
      expect(messages(corrected.lines)).toEqual(['corrected']);
    });

    it('searches back in windows, tells as it finds, says how far, and stops when it is told', async () => {
      const minutes = Array.from({ length: 200 }, (_, i) => ({
        tsMs: NOW - (200 - i) * 60_000,
        message: i % 50 === 0 ? `needle ${i}` : `hay ${i}`,
      }));
      await lines().append([batchOf(0, minutes)]);
      const found: string[] = [];
      const looked: number[] = [];
      const page = await lines().search(
        { q: 'needle' },
        { limit: 3, onFound: (some) => found.push(...messages(some)), onLooked: (backToMs) => looked.push(backToMs) },
      );
      expect(found).toEqual(['needle 150', 'needle 100', 'needle 50']);
      expect(messages(page.lines)).toEqual(found);
      expect(looked).toEqual([...looked].sort((a, b) => b - a));
      const rest = await lines().search({ q: 'needle' }, { limit: 3, cursor: page.next! });
      expect([messages(rest.lines), rest.next]).toEqual([['needle 0'], null]);
      const none = await lines().search({ q: 'nothing of this' }, { limit: 3 });
      expect([none.lines, none.next]).toEqual([[], null]);
      const already = AbortSignal.abort();
      const cancelled = lines().search({ q: 'needle' }, { limit: 9, signal: already });
      await expect(cancelled).rejects.toMatchObject({ code: 'op-cancelled' });
      await expect(lines().count({ q: 'hay' }, already)).rejects.toMatchObject({ code: 'op-cancelled' });
      expect(await lines().count({ q: 'hay' })).toBe(196);
    });

    questionsContract(lines);
  });

  describe(`${name} and the live view`, () => {
    let opened: StoreInTest | null = null;
    afterAll(() => opened?.remove(), 60_000);
    meaningContract(async (batches) => {
      opened = await open();
      await opened.lines().append(batches);
      return opened.lines();
    });
  });
}
