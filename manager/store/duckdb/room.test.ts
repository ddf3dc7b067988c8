import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { batch, numbered } from './batch.testing.ts';
import type { Layout } from './layout.ts';
import { openLineStore } from './open.ts';
import { createRoom } from './room.ts';
import { emptyHot } from './sealer.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'webvirt-room-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('holds back who adds more than can be sealed: so much waits and no more, and nothing is lost', async () => {
  const store = await openLineStore(join(dir, 'lines.duckdb'), { sealLines: 1_000 });
  let most = 0;
  for (let i = 0; i < 30; i += 1) {
    await store.lines.append([batch(i * 500, numbered(i * 500, 500, 1))]);
    most = Math.max(most, (await store.lines.stats()).unsealedLines ?? Infinity);
  }
  // Twice the size of a file, and the last batch that found room.
  expect(most).toBeLessThan(2_500);
  expect((await store.lines.stats()).heldBackMs).toBeGreaterThan(0);
  expect((await store.lines.since({}, 0, 1e6)).lines.map(({ message }) => message)).toEqual(
    Array.from({ length: 15_000 }, (_, i) => `m${i}`),
  );
  await store.close();
});

it('keeps room for those who add little while it is full, and no more than that', async () => {
  const layout: Layout = { version: 1, hot: { ...emptyHot(), lines: 6_400 }, sealing: null, segments: [], lost: [] };
  const room = createRoom(
    { lines: 6_400, characters: 1e9 },
    () => layout,
    () => undefined,
  );
  const added: string[] = [];
  const add = (name: string, lines: number) => room.wait(lines).then(() => added.push(name));
  expect([room.isFull(), room.limitLittleLines]).toEqual([true, 100]);
  const much = add('much', 101);
  await add('little', 100);
  expect(added).toEqual(['little']);
  layout.hot.lines = 7_200;
  const late = add('late', 1);
  await Promise.resolve();
  expect(added).toEqual(['little']);
  layout.hot.lines = 0;
  room.sealed(true);
  await Promise.all([much, late]);
  expect(room.isFull()).toBe(false);
});

it('holds nobody back while sealing fails, and again when it has succeeded', async () => {
  const layout: Layout = { version: 1, hot: { ...emptyHot(), lines: 5 }, sealing: null, segments: [], lost: [] };
  let looks = 0;
  const room = createRoom(
    { lines: 5, characters: 1e9 },
    () => layout,
    () => void looks++,
  );
  let added = 0;
  const add = async () => {
    await room.wait(1_000);
    added += 1;
  };
  const first = add();
  await Promise.resolve();
  expect([added, looks]).toEqual([0, 1]);
  room.sealed(false);
  await Promise.all([first, add()]);
  expect(added).toBe(2);
  room.sealed(true);
  const third = add();
  await Promise.resolve();
  expect(added).toBe(2);
  layout.hot.lines = 4;
  room.sealed(true);
  await third;
  expect(added).toBe(3);
});
