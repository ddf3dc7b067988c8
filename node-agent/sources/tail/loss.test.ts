import {
  appendFileSync,
  chmodSync,
  readdirSync,
  readlinkSync,
  renameSync,
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
/** The kernel's clock for files goes on in steps of a few milliseconds. */
const tick = () => new Promise((resolve) => setTimeout(resolve, 12));
const reasons = () => one.gaps().map((fields) => fields?.['reason']);

describe('what nobody can have read is told, and nothing else', () => {
  test('emptied, deleted or replaced while this process was not there', async () => {
    writeFileSync(one.file(), 'one\n');
    one.open();
    await one.read();
    await one.stream().close();
    truncateSync(one.file());
    appendFileSync(one.file(), 'other\n');
    await one.restart();
    await one.read();
    expect(reasons()).toEqual(['emptied']);
    await one.stream().close();
    unlinkSync(one.file());
    await one.restart();
    await one.read();
    expect(reasons()).toEqual(['emptied', 'deleted']);
    // Once; and what has the name later is new as a whole.
    await one.restart();
    await one.read();
    writeFileSync(one.file(), 'new\n');
    await one.restart();
    await one.read();
    expect(reasons()).toEqual(['emptied', 'deleted']);
    expect(one.texts().filter((text) => /^\w+$/.test(text))).toEqual(['one', 'other', 'new']);
  });

  test('emptied while it was behind, by how much; emptied at its end is nothing', async () => {
    writeFileSync(one.file(), 'x\n'.repeat(100_000));
    one.open({ linesPerSecond: 1_000 });
    await one.readNow();
    const given = one.rig.lines.length;
    truncateSync(one.file());
    await one.read(160);
    expect(reasons()).toEqual(['emptied']);
    expect(one.gaps()[0]?.['droppedBytes']).toBe(200_000 - 2 * given);
    appendFileSync(one.file(), 'more\n');
    await one.read();
    truncateSync(one.file());
    await one.read();
    appendFileSync(one.file(), 'and more\n');
    await one.read();
    truncateSync(one.file());
    await one.read();
    await one.restart();
    await one.read();
    expect(one.texts().slice(given + 1)).toEqual(['more', 'and more']);
  });

  test('written anew with the same length', async () => {
    writeFileSync(one.file(), 'one\ntwo\n');
    one.open();
    await one.read();
    await tick();
    writeFileSync(one.file(), 'six\nten\n');
    await one.read();
    expect(one.texts()).toEqual(['one', 'two', 'six', 'ten']);
  });
});

test('a writer that lets go late changes nothing about which file was rotated next', async () => {
  writeFileSync(one.file(), 'one\n');
  one.open();
  await one.read();
  await one.stream().close();
  renameSync(one.file(), one.file('a.log.2'));
  await tick();
  writeFileSync(one.file('a.log.1'), 'three\n');
  await tick();
  writeFileSync(one.file(), 'four\n');
  appendFileSync(one.file('a.log.2'), 'two, late\n');
  await one.restart();
  await one.read(6);
  expect(one.texts()).toEqual(['one', 'two, late', 'three', 'four']);
});

test('a log that is quiet over two rotations is left for the new one: nothing is said to be lost', async () => {
  writeFileSync(one.file(), 'one\n');
  one.open();
  await one.read();
  renameSync(one.file(), one.file('a.log.1'));
  await tick();
  writeFileSync(one.file(), '');
  await one.read(950);
  // Held open by nobody, and compressed the day after.
  await one.stream().close();
  renameSync(one.file(), one.file('a.log.2'));
  unlinkSync(one.file('a.log.1'));
  await tick();
  writeFileSync(one.file(), 'two\n');
  await one.restart();
  await one.read(3);
  expect(one.texts()).toEqual(['one', 'two']);
});

test('the past of a deleted log is not read again, neither beside a new one nor without', async () => {
  writeFileSync(one.file(), 'one\n');
  one.open();
  await one.read();
  renameSync(one.file(), one.file('a.log.1'));
  await tick();
  writeFileSync(one.file(), 'two\n');
  await one.read(4);
  unlinkSync(one.file());
  await one.read(4);
  expect(one.stream().isGone()).toBe(true);
  expect(one.rig.stored.size).toBe(1);
  await one.restart({ unseenSinceMs: 1 });
  writeFileSync(one.file(), 'three\n');
  await one.read(2);
  expect(one.texts()).toEqual(['one', 'two', 'three']);
});

const asNobody = process.getuid?.() === 0 ? test : test.skip;
asNobody('a log that may not be read at the first look: when it may, all that came since is', async () => {
  writeFileSync(one.file(), 'old\n'.repeat(100), { mode: 0o600 });
  chmodSync(one.folder, 0o755);
  process.seteuid!(65_534);
  try {
    one.open({ firstBytes: 8 });
    await one.stream().settle();
    await expect(one.stream().turn()).rejects.toThrow(/EACCES/);
  } finally {
    process.seteuid!(0);
  }
  appendFileSync(one.file(), 'new\n'.repeat(20));
  await one.read();
  // Of the line in which the last bytes of the old begin nothing is known: it is passed over.
  expect(one.texts()).toEqual(['old', ...Array(20).fill('new')]);
});

test('after a fault the file is opened anew: the handle may be what is broken', async () => {
  const held = () =>
    readdirSync('/proc/self/fd').filter((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`) === one.file();
      } catch {
        return false;
      }
    }).length;
  writeFileSync(one.file(), 'one\n');
  one.open();
  await one.read();
  expect(held()).toBe(1);
  const { hold } = one.rig.files;
  one.rig.files.hold = async () => {
    throw new Error('stale');
  };
  appendFileSync(one.file(), 'two\n');
  await expect(one.stream().turn()).rejects.toThrow('stale');
  expect(held()).toBe(0);
  one.rig.files.hold = hold;
  await one.read();
  expect(one.texts()).toEqual(['one', 'two']);
});
