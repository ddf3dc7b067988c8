import { appendFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StreamRig, streamRig } from '../../../test/support/stream-rig.ts';

let one: StreamRig;
beforeEach(() => {
  one = streamRig();
});
afterEach(() => one.end());

const MB = 1024 * 1024;

test('100 MB without a line end are one cut line, also over a restart in the middle; what follows is whole (L20)', async () => {
  writeFileSync(one.file(), Buffer.alloc(50 * MB, 'ä'));
  one.open();
  await one.read();
  expect(one.texts()).toEqual([`${'ä'.repeat(500)} … [line cut here]`]);
  // The beginning is told; nothing of the rest is held, by us or by its place.
  await one.restart();
  appendFileSync(one.file(), Buffer.alloc(50 * MB, 'ä'));
  await one.read();
  appendFileSync(one.file(), '\nnext\nhalf');
  await one.read();
  expect(one.texts().slice(1)).toEqual(['next']);
  appendFileSync(one.file(), ' and half\n');
  await one.read();
  expect(one.texts().slice(1)).toEqual(['next', 'half and half']);
});

test('a program that dies within a line, or within a character: it is completed by nobody else’s, and told at the end', async () => {
  const euro = Buffer.from('€');
  writeFileSync(one.file(), Buffer.concat([Buffer.from('whole\nhalf '), euro.subarray(0, 2)]));
  one.open({ partialAfterMs: 300 });
  await one.read();
  expect(one.texts()).toEqual(['whole']);
  await one.read(3);
  expect(one.texts()).toEqual(['whole', 'half \ufffd']);
  // Its successor writes on.
  appendFileSync(one.file(), 'new\n');
  await one.read();
  expect(one.texts()).toEqual(['whole', 'half \ufffd', 'new']);
});

test('a log that grows a hundred times faster than it may be read: each line is given or counted, to the line (L19)', async () => {
  const total = 50_000;
  writeFileSync(one.file(), '');
  one.open({ linesPerSecond: 100, behindBytes: 50_000 });
  await one.read();
  for (let n = 0; n < total; n += 5_000) {
    appendFileSync(one.file(), Array.from({ length: 5_000 }, (_, i) => `line ${n + i}\n`).join(''));
    await one.read(2);
  }
  await one.read(5_000);
  const given = one.rig.lines.filter(({ level }) => level === 'info').map(({ message }) => Number(message.slice(5)));
  const gaps = one.gaps();
  const dropped = gaps.reduce((sum, fields) => sum + (fields?.['dropped'] as number), 0);
  expect(given.length + dropped).toBe(total);
  expect(new Set(given).size).toBe(given.length);
  expect(given).toEqual(given.toSorted((a, b) => a - b));
  expect(given.at(-1)).toBe(total - 1);
  expect(dropped).toBeGreaterThan(total / 2);
  for (const fields of gaps) expect(fields).toMatchObject({ reason: 'rate', linesPerSecond: 100 });
});
