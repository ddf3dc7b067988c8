import { expect, it } from 'vitest';
import type { Level, Line } from '../../common/model/line.ts';
import { batchOf, EPOCH, NOW, numbered } from './batch-of.testing.ts';
import type { LineFilter, LineStore } from './ports.ts';

const LEVELS_IN_TURN: Level[] = ['error', 'warn', 'info', 'debug'];
const messages = (lines: Line[]) => lines.map((line) => line.message);

/** Counts, values, neighbours and what came since: part of the contract of a store of lines, which is empty at each test. */
export function questionsContract(lines: () => LineStore): void {
  it('counts lines, by time and by value', async () => {
    const some = Array.from({ length: 5_000 }, (_, i) => ({
      ...{ message: `m${i}`, level: LEVELS_IN_TURN[i % 4]!, tsMs: NOW - 5_000 + i },
      ...(i % 3 === 0 ? { instance: `i${i % 7}` } : {}),
      ...(i % 5 === 0 ? { fields: { n: i % 2, deep: { er: 'x' } } } : {}),
    }));
    await lines().append([batchOf(0, some), batchOf(0, [{ message: 'other' }], { agent: 'manager', host: '' })]);
    const has = (filter: LineFilter) => lines().count(filter);
    expect([await has({}), await has({ level: 'warn' }), await has({ instance: 'i0' })]).toEqual([5_001, 2_500, 239]);
    expect(await has({ fromMs: NOW - 4_000, toMs: NOW - 3_000 })).toBe(1_000);
    expect(await has({ q: 'instance:i0 -level:info' })).toBe(
      some.filter((line) => line.instance === 'i0' && line.level !== 'info').length,
    );
    const histogram = await lines().histogram({}, { fromMs: NOW - 5_000, toMs: NOW, buckets: 2 });
    const half = { error: 625, warn: 625, info: 625, debug: 625 };
    expect(histogram).toEqual([
      { fromMs: NOW - 5_000, counts: half },
      { fromMs: NOW - 2_500, counts: half },
    ]);
    const errors = await lines().histogram({ level: 'error', q: 'm1' }, { fromMs: NOW - 9_000, toMs: NOW, buckets: 3 });
    const wanted = some.filter((line) => line.level === 'error' && line.message.includes('m1')).length;
    expect(errors.reduce((sum, bucket) => sum + bucket.counts.error, 0)).toBe(wanted);
    expect(await lines().histogram({}, { fromMs: NOW, toMs: NOW, buckets: 3 })).toEqual([]);
    expect(await lines().facets({}, 'instance', 2)).toEqual([
      { value: 'i0', count: 239 },
      { value: 'i1', count: 238 },
    ]);
    expect((await lines().facets({ level: 'warn' }, 'level', 9)).map((one) => one.value)).toEqual(['error', 'warn']);
    expect(await lines().facets({ q: 'n:1' }, 'deep.er', 9)).toEqual([{ value: 'x', count: 500 }]);
    expect(await lines().facets({}, 'host', 9)).toEqual([{ value: 'a1', count: 5_000 }]);
    await expect(lines().facets({}, "x')--", 9)).rejects.toMatchObject({ code: 'bad-request' });
    expect(await lines().stats()).toMatchObject({ lines: 5_001 });
    // Nothing is said of lines that cannot be read where all can, and nobody has to ask for it.
    const said: string[] = [];
    const never = (way: string) => (lost: ReadonlyMap<string, unknown>) => void said.push(`${way} ${lost.size}`);
    await lines().count({ q: 'm1' }, undefined, never('count'));
    await lines().histogram({}, { fromMs: NOW - 5_000, toMs: NOW, buckets: 2 }, undefined, never('histogram'));
    await lines().facets({}, 'host', 9, undefined, never('facets'));
    await lines().since({}, 0, 100, undefined, never('since'));
    expect(said).toEqual([]);
    expect((await lines().stats()).unreadable ?? []).toEqual([]);
  });

  it('goes on in the order of arrival, and shows the neighbours of a line', async () => {
    for (let i = 0; i < 10; i += 1)
      await lines().append([
        batchOf(i, numbered(i, 1, 1)),
        batchOf(i, [{ message: `other${i}`, tsMs: NOW - i * 60_000 }], { agent: 'a2', host: 'a2' }),
      ]);
    const id = `a1.${EPOCH}.5`;
    const all = await lines().context(id, { before: 2, after: 2, sameHost: false });
    expect(messages(all)).toEqual(['m4', 'other4', 'm5', 'other5', 'm6']);
    const own = await lines().context(id, { before: 3, after: 9, sameHost: true });
    expect(messages(own)).toEqual(['m2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9']);
    expect(await lines().context(`a1.${EPOCH}.99`, { before: 1, after: 1, sameHost: false })).toEqual([]);
    const first = await lines().since({ host: 'a2' }, 0, 4);
    expect(messages(first.lines)).toEqual(['other0', 'other1', 'other2', 'other3']);
    const rest = await lines().since({ host: 'a2' }, first.lastOrdinal, 100);
    expect(messages(rest.lines)).toEqual(['other4', 'other5', 'other6', 'other7', 'other8', 'other9']);
    expect(rest.lastOrdinal).toBe(lines().newestOrdinal());
    expect(await lines().since({}, rest.lastOrdinal, 9)).toEqual({ lines: [], lastOrdinal: rest.lastOrdinal });
    const late = await lines().since({ fromMs: NOW + 8 }, 0, 100);
    expect(messages(late.lines)).toEqual(['m8', 'm9']);
  });
}
