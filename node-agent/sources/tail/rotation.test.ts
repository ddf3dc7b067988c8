import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StreamRig, streamRig } from '../../../test/support/stream-rig.ts';

let one: StreamRig;
beforeEach(() => {
  one = streamRig();
});
afterEach(() => one.end());

describe('rotation', () => {
  test('rename and create: the old one to its end, also what comes to it late, then the new one', async () => {
    writeFileSync(one.file(), 'one\n');
    one.open();
    await one.read();
    renameSync(one.file(), one.file('a.log.1'));
    writeFileSync(one.file(), 'three\n');
    await one.readNow();
    appendFileSync(one.file('a.log.1'), 'two, late\n');
    await one.read(3);
    expect(one.texts()).toEqual(['one', 'two, late', 'three']);
  });

  test('several rotations while nobody read: everything, in order', async () => {
    writeFileSync(one.file(), 'one\n');
    one.open();
    await one.read();
    await one.stream().close();
    appendFileSync(one.file(), 'two\n');
    for (const [from, text] of [
      ['1', 'three\n'],
      ['2', 'four\n'],
      ['3', 'five\n'],
    ] as const) {
      for (let n = Number(from); n > 0; n -= 1)
        renameSync(n === 1 ? one.file() : one.file(`a.log.${n - 1}`), one.file(`a.log.${n}`));
      // The kernel's clock for files ticks every few milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 12));
      writeFileSync(one.file(), text);
    }
    await one.restart();
    await one.read(8);
    expect(one.texts()).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(one.gaps()).toEqual([]);
  });

  test('copy and truncate: what was not read is read in the copy', async () => {
    writeFileSync(one.file(), 'one\n');
    one.open();
    await one.read();
    appendFileSync(one.file(), 'two\n');
    copyFileSync(one.file(), one.file('a.log.1'));
    truncateSync(one.file());
    appendFileSync(one.file(), 'three, and longer than all that was here before\n');
    await one.read(4);
    expect(one.texts()).toEqual(['one', 'two', 'three, and longer than all that was here before']);
  });

  test('rotated and deleted while it was held open: to its last line', async () => {
    writeFileSync(one.file(), 'one\n');
    one.open();
    await one.read();
    appendFileSync(one.file(), 'two\nthree without end');
    unlinkSync(one.file());
    await one.read(3);
    expect(one.texts()).toEqual(['one', 'two', 'three without end']);
    expect(one.stream().isGone()).toBe(true);
    expect(one.rig.stored.size).toBe(0);
  });

  test('rotated away while nobody read: told, and the new one is read', async () => {
    writeFileSync(one.file(), 'one\n');
    one.open();
    await one.read();
    await one.stream().close();
    unlinkSync(one.file());
    writeFileSync(one.file('b.log'), 'another file, which has the inode now\n');
    writeFileSync(one.file(), 'new\n');
    await one.restart();
    await one.read(2);
    expect(one.texts().at(-1)).toBe('new');
    expect(one.texts()).not.toContain('another file, which has the inode now');
    expect(one.gaps().length).toBeLessThanOrEqual(1);
  });

  test('an inode that is given to another file of the same name: read from its beginning', async () => {
    writeFileSync(one.file(), 'old file, first line\nold file, second line\n');
    one.open();
    await one.read();
    const place = JSON.parse(one.rig.stored.get('file:a')!);
    await one.stream().close();
    unlinkSync(one.file());
    writeFileSync(one.file(), 'new file, much longer than the old one was, so that its size tells nothing\nsecond\n');
    const { ino } = statSync(one.file());
    one.rig.stored.set('file:a', JSON.stringify({ ...place, ino }));
    await one.restart();
    await one.read(2);
    expect(one.gaps()).toMatchObject([{ reason: 'rotated', fromByte: place.offset }]);
    expect(one.texts().slice(3)).toEqual([
      'new file, much longer than the old one was, so that its size tells nothing',
      'second',
    ]);
  });

  test('a file that begins as before and was written anew: read from its beginning', async () => {
    const banner = `${'= the same banner at every start =\n'.repeat(10)}`;
    writeFileSync(one.file(), `${banner}one\n`);
    one.open();
    await one.read();
    truncateSync(one.file());
    writeFileSync(one.file(), `${banner}two\nthree\n`);
    await one.read(2);
    expect(one.texts().filter((text) => !text.startsWith('='))).toEqual(['one', 'two', 'three']);
  });

  test('written as a whole under another inode with the same content: goes on', async () => {
    writeFileSync(one.file(), 'one\n');
    one.open();
    await one.read();
    await one.stream().close();
    writeFileSync(one.file('tmp'), `${readFileSync(one.file(), 'utf8')}two\n`);
    renameSync(one.file('tmp'), one.file());
    await one.restart();
    await one.read();
    expect(one.texts()).toEqual(['one', 'two']);
  });
});
