import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewLine } from '../../../common/model/line.ts';
import { type SourceRig, sourceRig } from '../../../test/support/source-rig.ts';
import { createStream, type Stream } from './stream.ts';
import type { StreamSpec } from './stream-spec.ts';

let folder: string;
let rig: SourceRig;
let clockMs: number;
let stream: Stream;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-stream-'));
  rig = sourceRig();
  clockMs = 0;
});
afterEach(async () => {
  await stream.close();
  rmSync(folder, { recursive: true });
});
const file = (name = 'a.log') => join(folder, name);
const texts = () => rig.texts();
const gaps = () => rig.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields);

function open(more: Partial<StreamSpec> = {}): void {
  const line = (message: string): NewLine => ({ tsMs: 1, level: 'info', source: 'file', message });
  const spec: StreamSpec = {
    ...{
      name: 'file:a',
      path: file(),
      lineCapBytes: 1_000,
      firstBytes: Number.POSITIVE_INFINITY,
      partialAfterMs: null,
    },
    ...{ rewrites: false, group: null, linesPerSecond: 1e9, behindBytes: 1e9, followLink: false },
    line,
    about: () => ({ source: 'file' }),
    ...more,
  };
  stream = createStream(spec, { ...rig, clock: () => clockMs, graceMs: 100 });
}
/** Turns until there is nothing at once; then the clock goes on, as often as asked. */
async function read(rounds = 1): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    while ((await stream.turn()) === 'more');
    clockMs += 200;
  }
}
/** The process is killed and another one begins, from what is durable. */
async function restart(more: Partial<StreamSpec> = {}): Promise<void> {
  await stream.close();
  open(more);
}

describe('rotation', () => {
  test('rename and create: the old one to its end, also what comes to it late, then the new one', async () => {
    writeFileSync(file(), 'one\n');
    open();
    await read();
    renameSync(file(), file('a.log.1'));
    writeFileSync(file(), 'three\n');
    while ((await stream.turn()) === 'more');
    appendFileSync(file('a.log.1'), 'two, late\n');
    await read(3);
    expect(texts()).toEqual(['one', 'two, late', 'three']);
  });

  test('several rotations while nobody read: everything, in order', async () => {
    writeFileSync(file(), 'one\n');
    open();
    await read();
    await stream.close();
    appendFileSync(file(), 'two\n');
    for (const [from, text] of [
      ['1', 'three\n'],
      ['2', 'four\n'],
      ['3', 'five\n'],
    ] as const) {
      for (let n = Number(from); n > 0; n -= 1)
        renameSync(n === 1 ? file() : file(`a.log.${n - 1}`), file(`a.log.${n}`));
      // The kernel's clock for files ticks every few milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 12));
      writeFileSync(file(), text);
    }
    await restart();
    await read(8);
    expect(texts()).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(gaps()).toEqual([]);
  });

  test('copy and truncate: what was not read is read in the copy', async () => {
    writeFileSync(file(), 'one\n');
    open();
    await read();
    appendFileSync(file(), 'two\n');
    copyFileSync(file(), file('a.log.1'));
    truncateSync(file());
    appendFileSync(file(), 'three, and longer than all that was here before\n');
    await read(4);
    expect(texts()).toEqual(['one', 'two', 'three, and longer than all that was here before']);
  });

  test('rotated and deleted while it was held open: to its last line', async () => {
    writeFileSync(file(), 'one\n');
    open();
    await read();
    appendFileSync(file(), 'two\nthree without end');
    unlinkSync(file());
    await read(3);
    expect(texts()).toEqual(['one', 'two', 'three without end']);
    expect(stream.isGone()).toBe(true);
    expect(rig.stored.size).toBe(0);
  });

  test('rotated away while nobody read: told, and the new one is read', async () => {
    writeFileSync(file(), 'one\n');
    open();
    await read();
    await stream.close();
    unlinkSync(file());
    writeFileSync(file('b.log'), 'another file, which has the inode now\n');
    writeFileSync(file(), 'new\n');
    await restart();
    await read(2);
    expect(texts().at(-1)).toBe('new');
    expect(texts()).not.toContain('another file, which has the inode now');
    expect(gaps().length).toBeLessThanOrEqual(1);
  });

  test('an inode that is given to another file of the same name: read from its beginning', async () => {
    writeFileSync(file(), 'old file, first line\nold file, second line\n');
    open();
    await read();
    const place = JSON.parse(rig.stored.get('file:a')!);
    await stream.close();
    unlinkSync(file());
    writeFileSync(file(), 'new file, much longer than the old one was, so that its size tells nothing\nsecond\n');
    const { ino } = (await import('node:fs')).statSync(file());
    rig.stored.set('file:a', JSON.stringify({ ...place, ino }));
    await restart();
    await read(2);
    expect(texts().slice(2)).toEqual([
      'new file, much longer than the old one was, so that its size tells nothing',
      'second',
    ]);
  });

  test('a file that begins as before and was written anew: read from its beginning', async () => {
    const banner = `${'= the same banner at every start =\n'.repeat(10)}`;
    writeFileSync(file(), `${banner}one\n`);
    open();
    await read();
    truncateSync(file());
    writeFileSync(file(), `${banner}two\nthree\n`);
    await read(2);
    expect(texts().filter((text) => !text.startsWith('='))).toEqual(['one', 'two', 'three']);
  });

  test('written as a whole under another inode with the same content: goes on', async () => {
    writeFileSync(file(), 'one\n');
    open();
    await read();
    await stream.close();
    writeFileSync(file('tmp'), `${readFileSync(file(), 'utf8')}two\n`);
    renameSync(file('tmp'), file());
    await restart();
    await read();
    expect(texts()).toEqual(['one', 'two']);
  });
});

describe('records', () => {
  const start = /^\S/;
  const group = { startsRecord: (text: string) => start.test(text), waitMs: 1_000, capBytes: 200, capLines: 5 };

  test('lines that belong together are one, until the next begins or nothing comes', async () => {
    writeFileSync(file(), 'Error: bad\n  at one\n  at two\nnext\n');
    open({ group });
    await read();
    expect(texts()).toEqual(['Error: bad\n  at one\n  at two']);
    await read(7);
    expect(texts()[1]).toBe('next');
  });

  test('one that does not end is cut and marked', async () => {
    writeFileSync(file(), `first\n${'  more\n'.repeat(12)}`);
    open({ group });
    await read(8);
    expect(texts()).toEqual([
      'first\n  more\n  more\n  more\n  more … [line cut here]',
      '  more\n  more\n  more\n  more\n  more … [line cut here]',
      '  more\n  more\n  more',
    ]);
  });

  test('what is held when the process dies comes once with the next one', async () => {
    writeFileSync(file(), 'one\n  at\ntwo\n  at');
    open({ group });
    await read();
    await restart({ group });
    appendFileSync(file(), ' last\nthree\n');
    await read(8);
    expect(texts()).toEqual(['one\n  at', 'two\n  at last', 'three']);
  });
});

test('a kill behind any line, with and without a rotation: none is lost, none comes twice', async () => {
  const all = Array.from({ length: 60 }, (_, n) => (n % 7 === 3 ? `${n} ${'long '.repeat(300)}` : `line ${n}`));
  const write = (name: string, from: number, to: number) =>
    appendFileSync(file(name), `${all.slice(from, to).join('\n')}\n`);
  const { emit } = rig;
  for (let kill = 1; kill < all.length; kill += 1) {
    rig.lines.length = 0;
    rig.stored.clear();
    for (const name of ['a.log', 'a.log.1']) rmSync(file(name), { force: true });
    // Only so many lines reach the disk, each with its place: what the spool's transactions leave after a kill.
    rig.emit = (line, place) => {
      if (rig.lines.length < kill) emit(line, place);
    };
    write('a.log', 0, 30);
    open();
    await read();
    if (kill % 2 === 0) renameSync(file(), file('a.log.1'));
    write(kill % 2 === 0 ? 'a.log.1' : 'a.log', 30, 50);
    if (kill % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 12));
    write('a.log', 50, 60);
    await read(3);
    rig.emit = emit;
    await restart();
    await read(4);
    const numbers = texts().map((text) => Number(/\d+/.exec(text)?.[0]));
    expect([kill, numbers]).toEqual([kill, all.map((_, n) => n)]);
    await stream.close();
  }
});

describe('bounds', () => {
  test('what is too far behind is passed over, with how many lines and why, and the newest is read', async () => {
    writeFileSync(file(), Array.from({ length: 10_000 }, (_, n) => `line ${n}\n`).join(''));
    open({ behindBytes: 10_000 });
    await read(2);
    const [gap] = gaps();
    expect(gap).toMatchObject({ reason: 'rate', dropped: expect.any(Number), droppedBytes: expect.any(Number) });
    const first = Number(/\d+/.exec(texts()[1]!)?.[0]);
    expect(gap?.['dropped']).toBe(first);
    expect(texts().at(-1)).toBe('line 9999');
    expect(texts().length - 1 + first).toBe(10_000);
  });

  test('a file over its rate waits, and loses nothing', async () => {
    writeFileSync(file(), 'x\n'.repeat(100_000));
    open({ linesPerSecond: 1_000 });
    while ((await stream.turn()) === 'more');
    const before = rig.lines.length;
    expect(before).toBeLessThan(100_000);
    for (let n = 0; n < 1_000 && rig.lines.length < 100_000; n += 1) await read();
    expect(rig.lines.length).toBe(100_000);
    expect(gaps()).toEqual([]);
  });

  test('neither a symbolic link nor what is no file is read, unless links are asked for', async () => {
    writeFileSync(file('secret'), 'secret\n');
    symlinkSync(file('secret'), file());
    open();
    await read();
    expect(texts()).toEqual([]);
    await restart({ followLink: true });
    await read();
    expect(texts()).toEqual(['secret']);
    await restart({ path: folder, name: 'file:folder' });
    expect(await stream.turn()).toBe('done');
  });
});
