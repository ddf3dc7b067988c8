import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewLine } from '../../../common/model/line.ts';
import { batch, EPOCH, NOW, numbered } from './batch.testing.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

let dir: string;
let store: OpenLineStore;
const path = () => join(dir, 'lines.duckdb');

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-lines-'));
  store = await openLineStore(path());
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

describe('line store', () => {
  it('gives every line back as it came, hostile text included', async () => {
    const lines: Partial<NewLine>[] = [
      { message: 'nul \0 inside\r\nand a second row', unit: 'u\0v', fields: { a: { b: [1, 'ü'] } } },
      { message: '', level: 'error', source: 'qemu', instance: 'i', job: 'j', session: 's' },
      { message: '\ufeffmark 😀 \u202e', level: 'debug', source: 'external' },
      { message: 'x'.repeat(1_000_000) },
    ];
    await store.lines.append([batch(0, lines)]);
    const { lines: found, next } = await store.lines.query({}, { limit: 10 });
    expect(next).toBeNull();
    expect(found.map((line) => line.id)).toEqual([3, 2, 1, 0].map((seq) => `a1.${EPOCH}.${seq}`));
    for (const [i, line] of found.reverse().entries()) {
      const { message, level = 'info', source = 'agent', ...rest } = lines[i]!;
      expect(line).toEqual({
        id: `a1.${EPOCH}.${i}`,
        tsMs: NOW,
        receivedMs: NOW + 10,
        host: 'a1',
        hostName: 'one',
        agent: 'a1',
        level,
        source,
        message,
        ...rest,
      });
    }
  });

  it('writes dictionaries, absent values and more rows than one chunk has', async () => {
    const lines = Array.from({ length: 5_000 }, (_, i) => ({
      message: `m${i}`,
      level: (['error', 'warn', 'info', 'debug'] as const)[i % 4]!,
      ...(i % 3 === 0 ? { instance: `i${i % 7}` } : {}),
      ...(i % 5 === 0 ? { fields: { n: i } } : {}),
    }));
    await store.lines.append([batch(0, lines), batch(0, [{ message: 'other' }], { agent: 'a2', epoch: EPOCH })]);
    expect(store.lines.newestOrdinal()).toBe(5_001);
    const { lines: found, lastOrdinal } = await store.lines.since({}, 0, 6_000);
    expect(lastOrdinal).toBe(5_001);
    expect(found).toHaveLength(5_001);
    for (let i = 0; i < 5_000; i += 1) {
      expect(found[i]).toMatchObject(lines[i]!);
      if (i % 3 !== 0) expect(found[i]?.instance).toBeUndefined();
      if (i % 5 !== 0) expect(found[i]?.fields).toBeUndefined();
    }
  });

  it('moves the cursor with the lines and refuses what does not go on there', async () => {
    await store.lines.append([batch(0, numbered(0, 3)), batch(3, numbered(3, 2))]);
    const hash = (5).toString(16).padStart(32, '0');
    expect(await store.lines.cursors('a1')).toEqual([{ epoch: EPOCH, next: 5, hash }]);
    expect(await store.lines.hashAt('a1', EPOCH, 3)).toBe((3).toString(16).padStart(32, '0'));
    expect(await store.lines.hashAt('a1', EPOCH, 4)).toBeNull();
    await expect(store.lines.append([batch(3, numbered(3, 2))])).rejects.toThrow(/does not go on/);
    await expect(store.lines.append([batch(5, numbered(5, 1)), batch(7, numbered(7, 1))])).rejects.toThrow();
    await store.lines.append([batch(5, numbered(5, 1))]);
    await store.close();
    store = await openLineStore(path());
    expect((await store.lines.cursors('a1'))[0]?.next).toBe(6);
    expect(store.lines.newestOrdinal()).toBe(6);
    expect((await store.lines.query({}, { limit: 99 })).lines.map((l) => l.message)).toEqual(
      [5, 4, 3, 2, 1, 0].map((i) => `m${i}`),
    );
  });

  it('stores a gap as one line that has the numbers of all it stands for', async () => {
    const gap = { from: 2, to: 9, reason: 'spool full', bytes: 800, lastTsMs: NOW - 5 };
    const gapBatch = batch(2, [], { count: 8, columns: null, gap, hash: 'f'.repeat(32) });
    await store.lines.append([batch(0, numbered(0, 2)), gapBatch, batch(10, numbered(10, 1))]);
    const line = await store.lines.get(`a1.${EPOCH}.2`);
    expect(line).toMatchObject({ level: 'warn', source: 'agent', fields: { gap }, tsMs: NOW - 5 });
    expect(line?.message).toBe('8 log lines are missing: spool full');
    expect(await store.lines.get(`a1.${EPOCH}.5`)).toBeNull();
    expect((await store.lines.get(`a1.${EPOCH}.10`))?.message).toBe('m10');
    expect(await store.lines.get('nonsense')).toBeNull();
    expect(await store.lines.get(`a1.${EPOCH}.11`)).toBeNull();
  });

  it('pages newest first by time, late lines in their place, without a hole or a repeat', async () => {
    const times = Array.from({ length: 300 }, (_, i) => NOW - ((i * 7_919) % 300) * 60_000);
    for (let from = 0; from < 300; from += 50)
      await store.lines.append([
        batch(
          from,
          times.slice(from, from + 50).map((tsMs) => ({ tsMs, message: String(tsMs) })),
        ),
      ]);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.lines.query({}, cursor === undefined ? { limit: 37 } : { limit: 37, cursor });
      seen.push(...page.lines.map((line) => line.message));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([...times].sort((a, b) => b - a).map(String));
    const part = await store.lines.query({ fromMs: NOW - 120_000, toMs: NOW }, { limit: 10 });
    expect(part.lines.map((line) => Number(line.message))).toEqual([NOW - 60_000, NOW - 120_000]);
    await expect(store.lines.query({}, { limit: 1, cursor: "1'; DROP" })).rejects.toThrow(/cursor/);
  });

  it('sorts a line from the future by when it came, and one from the past by its own time', async () => {
    await store.lines.append([
      batch(0, [
        { message: 'future', tsMs: NOW + 3e11 },
        { message: 'wild', tsMs: 1e300 },
      ]),
    ]);
    await store.lines.append([batch(2, [{ message: 'past', tsMs: NOW - 3e11 }, { message: 'now' }])]);
    const { lines } = await store.lines.query({}, { limit: 9 });
    expect(lines.map((line) => line.message)).toEqual(['wild', 'future', 'now', 'past']);
  });

  it('shows the neighbours of a line, of all hosts or of its own', async () => {
    for (let i = 0; i < 10; i += 1)
      await store.lines.append([
        batch(i, numbered(i, 1)),
        batch(i, [{ message: `other${i}` }], { agent: 'a2', host: 'a2' }),
      ]);
    const around = (sameHost: boolean) =>
      store.lines.context(`a1.${EPOCH}.5`, { before: 2, after: 3, sameHost }).then((l) => l.map((x) => x.message));
    expect(await around(true)).toEqual(['m3', 'm4', 'm5', 'm6', 'm7', 'm8']);
    expect(await around(false)).toEqual(['m4', 'other4', 'm5', 'other5', 'm6', 'other6']);
  });

  it('goes on after an arrival number', async () => {
    await store.lines.append([batch(0, numbered(0, 10))]);
    const first = await store.lines.since({ q: 'm' }, 4, 3);
    expect(first.lines.map((line) => line.message)).toEqual(['m4', 'm5', 'm6']);
    const rest = await store.lines.since({ q: 'm9' }, first.lastOrdinal, 100);
    expect(rest).toMatchObject({ lastOrdinal: 10, lines: [{ message: 'm9' }] });
  });
});
