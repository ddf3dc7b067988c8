import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildChild, type ChildProgram, startChild } from '../../../test/support/child-program.ts';
import { writeFirstLines } from '../../../test/support/older-files.ts';
import { mountSmallDisk } from '../../../test/support/small-disk.ts';
import type { StoreAnswer, StoreQuestion } from '../../../test/support/store-child.ts';
import { batchOf, EPOCH, hashOf, NOW, numbered } from '../batch-of.testing.ts';
import { openLineStore } from './open.ts';
import type { RetentionRule } from './retention.ts';

let program: ChildProgram;
const dir = mkdtempSync(join(tmpdir(), 'webvirt-store-kill-'));
const disk = mountSmallDisk(join(dir, 'small'), 16);
beforeAll(async () => {
  program = await buildChild('test/support/store-child.ts');
});
afterAll(() => {
  program.remove();
  disk?.unmount();
  rmSync(dir, { recursive: true, force: true });
});

const still = { sealAfterMs: Infinity, sealLines: Infinity };
const open = (path: string) => openLineStore(path, still);
const begin = (duckdb: string, at: string, pass: number) =>
  startChild<StoreQuestion, StoreAnswer>(program, { duckdb, kill: { at, pass } });

/** Numbers that are stored, in the order of arrival; the count says the same. */
async function numbersIn({ lines }: Awaited<ReturnType<typeof openLineStore>>): Promise<number[]> {
  const found = (await lines.since({}, 0, 1e6)).lines.map(({ message }) => Number(/^m(\d+)/.exec(message)?.[1]));
  expect(await lines.count({})).toBe(found.length);
  expect((await lines.query({}, { limit: 1e5 })).lines).toHaveLength(found.length);
  return found;
}

const upTo = (to: number) => Array.from({ length: to }, (_, i) => i);

describe('a manager that is killed', () => {
  it('while it brings the file of lines to a newer schema: its lines are there, and it goes on (L3, L17, M7)', async () => {
    const path = join(dir, 'first.duckdb');
    const cursor = { epoch: EPOCH, next: 3, hash: hashOf(3) };
    await writeFirstLines(path, [{ agent: 'a1', cursor, messages: ['m0', 'm1', 'm2'] }], NOW);
    let pass = 1;
    // The last point is behind the end of the transaction: the start after it has nothing left to do.
    for (; ; pass += 1) {
      const child = begin(path, 'M7', pass);
      const answer = await child.ask({ append: 2 });
      if (answer === 'SIGKILL') continue;
      expect(answer).toEqual({ next: 5 });
      await child.ask({ close: true });
      break;
    }
    expect(pass).toBeGreaterThan(3);
    const store = await open(path);
    expect(await numbersIn(store)).toEqual(upTo(5));
    await store.seal();
    expect(await numbersIn(store)).toEqual(upTo(5));
    await store.close();
  });

  it('while it deletes old lines: what stays is there once, cursors stay, and the next time ends it (M8)', async () => {
    const whole = join(dir, 'whole');
    mkdirSync(whole);
    const before = await open(join(whole, 'lines.duckdb'));
    const levels = ['debug', 'info'] as const;
    /** Ten seconds and ten lines each; every other line is of level debug. */
    const append = (part: number) => {
      const lines = numbered(part * 10, 10).map((line, i) => ({ ...line, level: levels[i % 2]! }));
      return before.lines.append([batchOf(part * 10, lines, { receivedMs: NOW + part * 10_000 })]);
    };
    for (const part of [0, 1]) {
      await append(part);
      await before.seal();
    }
    for (const part of [2, 3]) await append(part);
    const cursors = await before.lines.cursors('a1');
    await before.close();

    // The first file goes, the second loses one level, and what is not sealed loses its older half.
    const rule: RetentionRule = { receivedBeforeMs: NOW + 5_000, levelsBeforeMs: { debug: NOW + 25_000 } };
    const goes = (i: number) => i < 10 || (i < 30 && i % 2 === 0);
    const left = upTo(40).filter((i) => !goes(i));
    let pass = 1;
    for (; ; pass += 1) {
      const at = join(dir, `retain-${pass}`);
      cpSync(whole, at, { recursive: true });
      const child = begin(join(at, 'lines.duckdb'), 'M8', pass);
      const answer = await child.ask({ retain: rule });
      if (answer !== 'SIGKILL') child.child.kill('SIGKILL');
      await child.ended;
      const store = await open(join(at, 'lines.duckdb'));
      const found = await numbersIn(store);
      expect(new Set(found).size, `pass ${pass}`).toBe(found.length);
      expect(found.filter((i) => !goes(i))).toEqual(left);
      if (answer !== 'SIGKILL') expect(found).toEqual(left);
      await store.retain(rule);
      expect(await numbersIn(store)).toEqual(left);
      expect(await store.lines.cursors('a1')).toEqual(cursors);
      await store.lines.append([batchOf(40, numbered(40, 1))]);
      expect(await numbersIn(store)).toEqual([...left, 40]);
      await store.close();
      // One file with what stays of the second, beside it only what belongs to it.
      const files = readdirSync(join(at, 'lines'));
      const [file, ...more] = files.filter((name) => name.endsWith('.parquet'));
      expect(more).toEqual([]);
      expect(files.filter((name) => /^\d/.test(name) && !name.startsWith(file!.slice(0, -'parquet'.length)))).toEqual(
        [],
      );
      if (answer !== 'SIGKILL') break;
    }
    // All of: the table, two files, one of them written anew, the ledger.
    expect(pass).toBeGreaterThan(7);
  });

  it.runIf(disk !== null)(
    'when its file comes back after a full disk: nothing acked is lost or doubled (M9)',
    async () => {
      const path = join(dir, 'small', 'lines.duckdb');
      let acked = 0;
      for (const pass of [1, 2]) {
        const child = begin(path, 'M9', pass);
        let answer = await child.ask({ append: 100, bytes: 1_000 });
        disk?.fill();
        for (; typeof answer === 'object' && 'next' in answer; answer = await child.ask({ append: 100, bytes: 1_000 }))
          acked = answer.next;
        expect(answer).toHaveProperty('failed');
        disk?.free();
        expect(await child.ask({ append: 1 })).toBe('SIGKILL');
        const store = await open(path);
        const found = await numbersIn(store);
        expect(found).toEqual(upTo(found.length));
        expect(found.length).toBeGreaterThanOrEqual(acked);
        expect((await store.lines.cursors('a1'))[0]?.next).toBe(found.length);
        await store.close();
      }
      expect(acked).toBeGreaterThan(100);
    },
  );
});
