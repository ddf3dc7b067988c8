import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { KeepMark } from '../../common/model/search.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { type Adopters, createSharedState, type SharedDocument } from './shared-state.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});

function manager(managerId: string, nowMs: () => number) {
  const dir = mkdtempSync(join(tmpdir(), 'webvirt-shared-'));
  const raw = openStateStore(join(dir, 'state.sqlite'));
  undo.push(() => {
    raw.close();
    rmSync(dir, { recursive: true });
  });
  const told: SharedDocument[] = [];
  const shared = createSharedState(raw, { managerId, tell: (document) => told.push(document), nowMs });
  const { state } = shared;
  const nothing = () => undefined;
  const adopters: Adopters = {
    ...{ search: nothing, rule: nothing, destination: nothing },
    keep: (id: string, doc: KeepMark | null) => (doc === null ? state.keeps.remove(id) : state.keeps.put(doc)),
  };
  return { raw, state, told, all: shared.all, take: (document: unknown) => shared.take(document, adopters) };
}

const mark = (id: string, note: string): KeepMark => ({ id, fromMs: 1, toMs: 2, note, owner: 'o', createdMs: 5 });

it('ends with the same documents everywhere, in whatever order they are heard, and brings back nothing that was removed', () => {
  let seed = 3;
  const random = (limit: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
  let nowMs = 1_000;
  const managers = ['m1', 'm2', 'm3'].map((id) => manager(id, () => nowMs));
  // One is older than the sharing.
  managers[0]!.raw.keeps.put(mark('old', 'from before'));
  for (let step = 0; step < 200; step += 1) {
    nowMs += random(2);
    const who = managers[random(3)]!;
    const id = `k${random(6)}`;
    if (random(3) > 0) who.state.keeps.put(mark(id, `note ${step}`));
    else if (who.state.keeps.get(id) !== null) who.state.keeps.remove(id);
    // Some hear some of it at once; others were away.
    for (const other of managers)
      if (other !== who && random(2) === 0 && who.told.length > 0) other.take(who.told.at(-1));
  }
  for (let round = 0; round < 2; round += 1)
    for (const one of managers) for (const other of managers) for (const document of other.all()) one.take(document);
  const list = ({ state }: (typeof managers)[0]) => state.keeps.list().sort((a, b) => (a.id < b.id ? -1 : 1));
  expect(list(managers[1]!)).toEqual(list(managers[0]!));
  expect(list(managers[2]!)).toEqual(list(managers[0]!));
  expect(list(managers[0]!)).toContainEqual(mark('old', 'from before'));
  expect(list(managers[0]!).length).toBeLessThan(7);
  for (const one of managers)
    for (const other of managers) for (const document of other.all()) expect(one.take(document)).toBe(false);
  // What was taken is not told back.
  const before = managers[1]!.told.length;
  managers[0]!.state.keeps.put(mark('new', 'x'));
  expect(managers[1]!.take(managers[0]!.told.at(-1))).toBe(true);
  expect(managers[1]!.told).toHaveLength(before);
  expect(() => managers[1]!.take({ kind: 'account', id: 'x' })).toThrow();
});
