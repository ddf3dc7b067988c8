import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NumberedEvent } from '../../../common/model/compute.ts';
import type { ComputeStore, StoredComputation } from '../ports.ts';
import { openComputeStore } from './compute.ts';

let dir: string;
let store: ComputeStore & { close(): void };
const path = () => join(dir, 'compute.sqlite');
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wv-compute-store-'));
  store = openComputeStore(path());
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true });
});

const session = (id: string, over: Partial<StoredComputation> = {}): StoredComputation => ({
  ...{ id, kernel: 'python', title: '', host: 'h1', hostName: 'one', owner: 'me', createdMs: 1, endedMs: null },
  ...{ opened: true, cells: 1, runningCell: null, openCells: [], nextSeq: 0, nextN: 0, outputBytes: 0 },
  ...{ ending: null, lastCell: null, death: null, argsHash: 'x', ...over },
});
const stdout = (seq: number, text: string): NumberedEvent => ({
  seq,
  tsMs: 1.5,
  event: { type: 'stdout', cell: 1, text },
});
const input = (seq: number, cell: number, code: string): NumberedEvent => ({
  seq,
  tsMs: 1,
  event: { type: 'input', cell, code, actor: 'me' },
});

it('keeps sessions, events and opIds, privately, over a restart', async () => {
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  const odd = '\u0000 \ud800 \u001b[31m \u202e 💥';
  const list = [input(0, 1, 'a'), stdout(1, odd), input(2, 2, 'b')];
  const cell = { session: 's1', cell: 1, opId: 'op-000001', hash: 'h' };
  store.write({ sessions: [session('s1')], events: [{ session: 's1', list }], cells: [cell] });
  store.write({ sessions: [session('s2', { createdMs: 2 }), session('s1', { cells: 2 })], events: [], cells: [] });
  await store.sync();
  store.close();
  store = openComputeStore(path());
  expect(store.sessions().map(({ id, cells }) => [id, cells])).toEqual([
    ['s2', 1],
    ['s1', 2],
  ]);
  expect(store.events('s1', 0, 10, 1e6)).toEqual(list);
  expect(store.inputs('s1', 1)).toEqual([{ cell: 2, code: 'b' }]);
  expect(store.cellByOpId('s1', 'op-000001')).toEqual(cell);
  expect(store.cellByOpId('s2', 'op-000001')).toBeNull();
});

it('takes a number once, and then nothing of that write', () => {
  store.write({ sessions: [session('s1')], events: [{ session: 's1', list: [stdout(0, 'a')] }], cells: [] });
  const twice = {
    sessions: [session('s1', { cells: 9 })],
    events: [{ session: 's1', list: [stdout(1, 'b'), stdout(0, 'a')] }],
    cells: [],
  };
  expect(() => store.write(twice)).toThrow();
  expect(store.events('s1', 0, 10, 1e6)).toEqual([stdout(0, 'a')]);
  expect(store.sessions()[0]?.cells).toBe(1);
});

it('reads a piece at a time, by number and by size, and gives the room back of what is removed', () => {
  const list = Array.from({ length: 100 }, (_, i) => stdout(i, 'x'.repeat(100_000)));
  store.write({ sessions: [session('s1'), session('s2')], events: [{ session: 's1', list }], cells: [] });
  expect(store.events('s1', 95, 10, 1e9).map(({ seq }) => seq)).toEqual([95, 96, 97, 98, 99]);
  expect(store.events('s1', 0, 10, 1).map(({ seq }) => seq)).toEqual([0]);
  expect(store.events('s1', 0, 10, 250_000).map(({ seq }) => seq)).toEqual([0, 1, 2]);
  store.remove(['s1']);
  expect(store.sessions().map(({ id }) => id)).toEqual(['s2']);
  expect(store.events('s1', 0, 10, 1e9)).toEqual([]);
  for (let i = 0; i < 20; i += 1) store.remove([]);
  store.close();
  expect(statSync(path()).size).toBeLessThan(1_000_000);
  store = openComputeStore(path());
});
