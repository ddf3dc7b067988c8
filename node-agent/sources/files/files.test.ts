import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SourceRig, sourceRig } from '../../../test/support/source-rig.ts';
import type { Source } from '../source.ts';
import { FOLLOW_DEFAULTS } from '../tail/follow-config.ts';
import { matchesGlob } from '../tail/glob.ts';
import { createFiles } from './files.ts';

let folder: string;
let rig: SourceRig;
let source: Source | null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-files-'));
  rig = sourceRig();
  source = null;
});
afterEach(async () => {
  await source?.stop();
  expect(rig.faults).toEqual([]);
  rmSync(folder, { recursive: true });
});
const path = (name: string) => join(folder, name);

async function start(pattern: string, more = {}): Promise<void> {
  rig.renew();
  const rule = { path: path(pattern), exclude: [], unit: '{name}', startWaitMs: 50, fields: {}, links: false };
  const config = { ...FOLLOW_DEFAULTS, lookEveryMs: 20, graceMs: 20, rules: [rule], limitFiles: 20_000, ...more };
  source = createFiles(config, rig);
  await source.start();
}
async function stop(): Promise<void> {
  await source?.stop();
  source = null;
}
/** Resolves when everything was looked at again: a line of another file came. */
async function looked(): Promise<void> {
  const word = `looked ${rig.lines.length}`;
  writeFileSync(path('zz-look.log'), `${word}\n`, { flag: 'a' });
  await rig.until(() => rig.texts().includes(word));
}
const texts = () => rig.texts().filter((text) => !text.startsWith('looked'));

test('a pattern that also means the rotated file: nothing twice while nothing new has the name', async () => {
  await start('*');
  writeFileSync(path('a.log'), 'one\n');
  await rig.count(1);
  renameSync(path('a.log'), path('a.log.1'));
  for (let n = 0; n < 3; n += 1) await looked();
  // Its writer has not let go of it, and the agent comes anew.
  appendFileSync(path('a.log.1'), 'two\n');
  await rig.until(() => texts().includes('two'));
  await stop();
  appendFileSync(path('a.log.1'), 'three\n');
  await start('*');
  await rig.until(() => texts().includes('three'));
  renameSync(path('a.log.1'), path('a.log.2'));
  for (let n = 0; n < 3; n += 1) await looked();
  writeFileSync(path('a.log'), 'four\n');
  await rig.until(() => texts().includes('four'));
  for (let n = 0; n < 3; n += 1) await looked();
  expect(texts()).toEqual(['one', 'two', 'three', 'four']);
});

test('in the place of a log a folder, a pipe or a loop of links: neither read nor stumbled over', async () => {
  await start('*.log');
  writeFileSync(path('a.log'), 'one\n');
  await rig.count(1);
  unlinkSync(path('a.log'));
  mkdirSync(path('a.log'));
  await looked();
  rmSync(path('a.log'), { recursive: true });
  execFileSync('mkfifo', ['--', path('a.log')]);
  await looked();
  unlinkSync(path('a.log'));
  symlinkSync('a.log', path('a.log'));
  await looked();
  unlinkSync(path('a.log'));
  writeFileSync(path('a.log'), 'two\n');
  await rig.until(() => texts().includes('two'));
  expect(texts()).toEqual(['one', 'two']);
});

test('thousands of logs that say nothing: each has a place after the first look, and no line', async () => {
  for (let n = 0; n < 3_000; n += 1) writeFileSync(path(`${n}.log`), '');
  await start('*.log', { limitFiles: 3_000, lookEveryMs: 60_000 });
  expect([...rig.stored.keys()].filter((name) => name.startsWith('file:')).length).toBe(3_000);
  // The same again says and notes nothing.
  await stop();
  const before = new Map(rig.stored);
  await start('*.log', { limitFiles: 3_000, lookEveryMs: 60_000 });
  await stop();
  expect(rig.stored).toEqual(before);
  expect(rig.lines).toEqual([]);
});

test.each([
  ['/var/log/*.log', '/var/log/a.log', true],
  ['/var/log/*.log', '/var/log/a/b.log', false],
  ['/srv/**/*.log', '/srv/a.log', true],
  ['/srv/**/*.log', '/srv/a/b/c.log', true],
  ['/srv/**/*.log', '/srv/.hidden/c.log', false],
  ['/srv/**', '/srv/a', true],
  ['/srv/**/b/**/d', '/srv/a/b/c/d', true],
  ['/srv/a?.log', '/srv/ab.log', true],
])('%s means %s: %s', (pattern, name, means) => {
  expect(matchesGlob(pattern, name)).toBe(means);
});
