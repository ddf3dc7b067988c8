import { applyPatch as oracle } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import type { PatchOperation } from '../../wire/live.ts';
import { applyPatch, PatchError } from './apply.ts';
import { diff } from './diff.ts';

/** mulberry32: the same edits on every run of a seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const clone = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The oracle cannot replace a whole document, so both live under one key. */
function byOracle(before: unknown, patch: PatchOperation[]): unknown {
  const document = { body: clone(before) };
  const results = oracle(
    document,
    clone(patch).map((operation) => ({ ...operation, path: `/body${operation.path}` })),
  );
  expect(results.filter((result) => result !== null)).toEqual([]);
  return document.body;
}

type Roll = (below: number) => number;
const KEYS = ['name', 'state', 'a/b', 'c~d', '~1', '', 'load', 'list', 'length', '0'];

function anyValue(roll: Roll, depth: number): unknown {
  const kind = roll(depth > 0 ? 9 : 5);
  if (kind === 0) return null;
  if (kind === 1) return roll(2) === 0;
  if (kind === 2) return roll(5);
  if (kind < 5) return ['x', 'é\u2028', '', 'long text'][roll(4)];
  if (kind === 5) return Array.from({ length: roll(4) }, () => anyValue(roll, depth - 1));
  if (kind === 6) return rows(roll, roll(6), depth - 1);
  return anyObject(roll, depth - 1);
}

function anyObject(roll: Roll, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (let i = roll(5); i > 0; i--) made[KEYS[roll(KEYS.length)]!] = anyValue(roll, depth);
  return made;
}

function rows(roll: Roll, count: number, depth: number): Record<string, unknown>[] {
  const ids = Array.from({ length: count * 2 }, (_, i) => `id${i}`).sort(() => roll(3) - 1);
  return ids.slice(0, count).map((id) => ({ id, ...anyObject(roll, depth) }));
}

function edited(value: unknown, roll: Roll): unknown {
  if (roll(12) === 0) return anyValue(roll, 2);
  if (Array.isArray(value)) {
    const list = value.map((item) => (roll(4) === 0 ? edited(item, roll) : item));
    for (let i = roll(3); i > 0; i--) {
      const kind = roll(4);
      if (kind === 0) list.splice(roll(list.length + 1), 0, { id: `new${roll(50)}`, ...anyObject(roll, 1) });
      else if (kind === 1) list.splice(roll(list.length + 1), 1);
      else if (kind === 2 && list.length > 0) list.splice(roll(list.length), 0, ...list.splice(roll(list.length), 1));
      else list.reverse();
    }
    return list;
  }
  if (typeof value === 'object' && value !== null) {
    const made: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      const kind = roll(6);
      if (kind === 0) continue;
      made[key] = kind === 1 && key !== 'id' ? edited(item, roll) : item;
    }
    if (roll(3) === 0) made[KEYS[roll(KEYS.length)]!] = anyValue(roll, 1);
    return made;
  }
  return anyValue(roll, 1);
}

describe('diff and applyPatch', () => {
  it('turn any value into any edit of it, as the oracle does, and never change their input', () => {
    for (let seed = 1; seed <= 4_000; seed++) {
      const roll = random(seed);
      const before = roll(2) === 0 ? rows(roll, roll(8), 2) : anyValue(roll, 3);
      let after: unknown = before;
      for (let i = 1 + roll(3); i > 0; i--) after = edited(after, roll);
      const asSent = clone({ before, after });
      const patch = diff(before, after);
      expect(byOracle(before, patch), `seed ${seed}`).toEqual(asSent.after);
      expect(applyPatch(before, patch), `seed ${seed}`).toEqual(asSent.after);
      expect(applyPatch(asSent.before, clone(patch)), `seed ${seed}`).toEqual(asSent.after);
      expect({ before, after }, `seed ${seed}`).toEqual(asSent);
      expect(diff(after, asSent.after)).toEqual([]);
    }
  });

  const table = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      id: `vm-${i}`,
      name: `web${i}`,
      state: 'running',
      load: { cpuRatio: 0 },
    }));

  it('send one small operation for one changed cell among a thousand rows', () => {
    const after = clone(table(1_000));
    after[617]!.load.cpuRatio = 0.5;
    expect(diff(table(1_000), after)).toEqual([{ op: 'replace', path: '/617/load/cpuRatio', value: 0.5 }]);
  });

  it('send a small record whole when most of it is new, and rows field by field', () => {
    const before = { id: 'a', name: 'n', state: 's', load: { tsMs: 1, cpuRatio: 1, memoryUsedBytes: 1, netRxBps: 1 } };
    const after = { id: 'a', name: 'm', state: 't', load: { tsMs: 2, cpuRatio: 2, memoryUsedBytes: 2, netRxBps: 1 } };
    expect(diff([before], [after])).toEqual([
      { op: 'replace', path: '/0/name', value: 'm' },
      { op: 'replace', path: '/0/state', value: 't' },
      { op: 'replace', path: '/0/load', value: after.load },
    ]);
  });

  it('send two operations for one moved row, one for one added or removed', () => {
    const before = table(100);
    const moved = table(100);
    moved.splice(90, 0, ...moved.splice(3, 1));
    expect(diff(before, moved).map((o) => `${o.op} ${o.path}`)).toEqual(['remove /3', 'add /90']);
    expect(diff(before, before.toSpliced(50, 1))).toEqual([{ op: 'remove', path: '/50' }]);
    const row = { id: 'new', name: 'n', state: 'shutoff', load: { cpuRatio: 0 } };
    expect(diff(before, [row, ...before])).toEqual([{ op: 'add', path: '/0', value: row }]);
  });

  it('send the list whole when little of it stays', () => {
    const other = table(20).map((row) => ({ ...row, id: `other-${row.id}` }));
    expect(diff(table(20), other)).toEqual([{ op: 'replace', path: '', value: other }]);
  });

  it('keep an untouched row the same object', () => {
    const before = table(3);
    const after = applyPatch(before, [{ op: 'replace', path: '/1/state', value: 'paused' }]);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(before[1]!.state).toBe('running');
  });

  it('take undefined as absent, as the wire does', () => {
    expect(diff({ a: 1, b: undefined }, { a: 1 })).toEqual([]);
    expect(diff({ a: 1 }, { a: undefined })).toEqual([{ op: 'remove', path: '/a' }]);
    expect(diff({ a: Number.NaN }, { a: Number.NaN })).toEqual([]);
  });
});

describe('a hostile patch', () => {
  const canary = () => ({}) as Record<string, unknown>;

  it.each([
    '/__proto__/polluted',
    '/constructor/prototype/polluted',
    '/a/__proto__/polluted',
    '/list/__proto__/polluted',
    '/list/constructor/prototype/polluted',
    '/toString/polluted',
  ])('never reaches a prototype through %s', (path) => {
    for (const op of ['add', 'replace'] as const)
      expect(() => applyPatch({ a: {}, list: [1] }, [{ op, path, value: 'yes' }])).toThrow(PatchError);
    expect(() => applyPatch({ a: {}, list: [1] }, [{ op: 'remove', path }])).toThrow(PatchError);
    expect(canary()['polluted']).toBeUndefined();
  });

  it('may hold a key named constructor like any other', () => {
    const [before, after] = [{ constructor: [1] }, { constructor: [1, 2], prototype: {} }];
    expect(applyPatch(before, diff(before, after))).toEqual(after);
  });

  it('may set a plain property of the name __proto__ and nothing else', () => {
    const value = JSON.parse('{"__proto__":{"polluted":1},"x":1}') as Record<string, unknown>;
    const made = applyPatch({}, diff({}, value));
    expect(JSON.stringify(made)).toBe(JSON.stringify(value));
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
    const again = applyPatch(made, [{ op: 'replace', path: '/__proto__/polluted', value: 2 }]);
    expect(JSON.stringify(again)).toContain('"polluted":2');
    expect(canary()['polluted']).toBeUndefined();
  });

  it.each([
    { op: 'replace', path: '/missing', value: 1 },
    { op: 'remove', path: '/list/7' },
    { op: 'add', path: '/list/9', value: 1 },
    { op: 'add', path: '/list/01', value: 1 },
    { op: 'add', path: '/list/-1', value: 1 },
    { op: 'replace', path: '/list/length', value: 0 },
    { op: 'add', path: '/list/0/deeper', value: 0 },
    { op: 'move', path: '/list/0', from: '/a' },
  ])('is refused: %o', (operation) => {
    expect(() => applyPatch({ a: 1, list: [1, 2] }, [operation as PatchOperation])).toThrow(PatchError);
  });
});
