import { appendFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StreamRig, streamRig } from '../../../test/support/stream-rig.ts';

let one: StreamRig;
beforeEach(() => {
  one = streamRig();
});
afterEach(() => one.end());

describe('records', () => {
  const start = /^\S/;
  const group = { startsRecord: (text: string) => start.test(text), waitMs: 1_000, capBytes: 200, capLines: 5 };

  test('lines that belong together are one, until the next begins or nothing comes', async () => {
    writeFileSync(one.file(), 'Error: bad\n  at one\n  at two\nnext\n');
    one.open({ group });
    await one.read();
    expect(one.texts()).toEqual(['Error: bad\n  at one\n  at two']);
    await one.read(7);
    expect(one.texts()[1]).toBe('next');
  });

  test('one that does not end is cut and marked', async () => {
    writeFileSync(one.file(), `first\n${'  more\n'.repeat(12)}`);
    one.open({ group });
    await one.read(8);
    expect(one.texts()).toEqual([
      'first\n  more\n  more\n  more\n  more … [line cut here]',
      '  more\n  more\n  more\n  more\n  more … [line cut here]',
      '  more\n  more\n  more',
    ]);
  });

  test('what is held when the process dies comes once with the next one', async () => {
    writeFileSync(one.file(), 'one\n  at\ntwo\n  at');
    one.open({ group });
    await one.read();
    await one.restart({ group });
    appendFileSync(one.file(), ' last\nthree\n');
    await one.read(8);
    expect(one.texts()).toEqual(['one\n  at', 'two\n  at last', 'three']);
  });
});

test('a kill behind any line, with and without a rotation: none is lost, none comes twice', async () => {
  const all = Array.from({ length: 60 }, (_, n) => (n % 7 === 3 ? `${n} ${'long '.repeat(300)}` : `line ${n}`));
  const write = (name: string, from: number, to: number) =>
    appendFileSync(one.file(name), `${all.slice(from, to).join('\n')}\n`);
  const { emit, places } = one.rig;
  const { set } = places;
  for (let kill = 1; kill < all.length; kill += 1) {
    one.rig.lines.length = 0;
    one.rig.stored.clear();
    for (const name of ['a.log', 'a.log.1']) rmSync(one.file(name), { force: true });
    // Only so many lines reach the disk, each with its place and with those set before: what the spool's transactions leave.
    let isDead = false;
    one.rig.emit = (line, place) => {
      isDead ||= one.rig.lines.length >= kill;
      if (!isDead) emit(line, place);
    };
    places.set = (name, value) => {
      if (!isDead) set(name, value);
    };
    write('a.log', 0, 30);
    one.open();
    await one.read();
    if (kill % 2 === 0) renameSync(one.file(), one.file('a.log.1'));
    write(kill % 2 === 0 ? 'a.log.1' : 'a.log', 30, 50);
    if (kill % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 12));
    write('a.log', 50, 60);
    await one.read(3);
    one.rig.emit = emit;
    places.set = set;
    await one.restart();
    await one.read(4);
    const numbers = one.texts().map((text) => Number(/\d+/.exec(text)?.[0]));
    expect([kill, numbers]).toEqual([kill, all.map((_, n) => n)]);
    await one.stream().close();
  }
});

describe('bounds', () => {
  test('what is too far behind is passed over, with how many lines and why, and the newest is read', async () => {
    writeFileSync(one.file(), Array.from({ length: 10_000 }, (_, n) => `line ${n}\n`).join(''));
    one.open({ behindBytes: 10_000 });
    await one.read(2);
    const [gap] = one.gaps();
    expect(gap).toMatchObject({ reason: 'rate', dropped: expect.any(Number), droppedBytes: expect.any(Number) });
    const first = Number(/\d+/.exec(one.texts()[1]!)?.[0]);
    expect(gap?.['dropped']).toBe(first);
    expect(one.texts().at(-1)).toBe('line 9999');
    expect(one.texts().length - 1 + first).toBe(10_000);
  });

  test('a file over its rate waits, and loses nothing', async () => {
    writeFileSync(one.file(), 'x\n'.repeat(100_000));
    one.open({ linesPerSecond: 1_000 });
    await one.readNow();
    const before = one.rig.lines.length;
    expect(before).toBeLessThan(100_000);
    for (let n = 0; n < 1_000 && one.rig.lines.length < 100_000; n += 1) await one.read();
    expect(one.rig.lines.length).toBe(100_000);
    expect(one.gaps()).toEqual([]);
  });

  test('neither a symbolic link nor what is no file is read, unless links are asked for', async () => {
    writeFileSync(one.file('secret'), 'secret\n');
    symlinkSync(one.file('secret'), one.file());
    one.open();
    await one.read();
    expect(one.texts()).toEqual([]);
    await one.restart({ followLink: true });
    await one.read();
    expect(one.texts()).toEqual(['secret']);
    await one.restart({ path: one.folder, name: 'file:folder' });
    expect(await one.stream().turn()).toBe('done');
  });
});
