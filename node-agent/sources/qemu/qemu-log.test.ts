import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SourceRig, sourceRig } from '../../../test/support/source-rig.ts';
import type { Source } from '../source.ts';
import { FOLLOW_DEFAULTS } from '../tail/follow-config.ts';
import { createQemuLog } from './qemu-log.ts';

const ID = 'aaaaaaaa-0000-4000-8000-000000000001';
let folder: string;
let rig: SourceRig;
let source: Source | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-qemu-log-'));
  mkdirSync(join(folder, 'logs'));
  rig = sourceRig();
  source = null;
});
afterEach(async () => {
  await source?.stop();
  expect(rig.faults).toEqual([]);
  rmSync(folder, { recursive: true });
});

const file = (name = 'web.log') => join(folder, 'logs', name);
const texts = () => rig.texts();
const until = (count: number) => rig.count(count);

async function start(more = {}): Promise<void> {
  rig.renew();
  source = createQemuLog(
    { ...FOLLOW_DEFAULTS, qemuLogDir: join(folder, 'logs'), lookEveryMs: 20, graceMs: 20, ...more },
    { ...rig, now: () => 5, idOf: (name) => (name === 'web' ? ID : undefined) },
  );
  await source.start();
}

async function stop(): Promise<void> {
  await source?.stop();
  source = null;
}

test('follows a log, with time, level and instance', async () => {
  await start();
  writeFileSync(file(), '2026-11-21 08:05:12.045+0000: shutting down, reason=saved\n');
  appendFileSync(file(), '2026-11-21T08:05:12.046023Z qemu-system-x86_64: terminating on signal 15\nplain error');
  await until(2);
  appendFileSync(file(), ' text\n');
  await until(3);
  const of = { source: 'qemu', unit: 'web', instance: ID };
  expect(rig.lines).toEqual([
    { ...of, tsMs: Date.UTC(2026, 10, 21, 8, 5, 12, 45), level: 'info', message: 'shutting down, reason=saved' },
    {
      ...of,
      tsMs: Date.UTC(2026, 10, 21, 8, 5, 12, 46),
      level: 'warn',
      message: 'qemu-system-x86_64: terminating on signal 15',
    },
    { ...of, tsMs: 5, level: 'error', message: 'plain error text' },
  ]);
});

test('a restart neither repeats nor loses', async () => {
  await start();
  writeFileSync(file(), 'one\ntwo\nhal');
  await until(2);
  await stop();
  appendFileSync(file(), 'f\nfour\n');
  writeFileSync(file('new.log'), 'born meanwhile\n');
  await start();
  await until(5);
  expect(texts().toSorted()).toEqual(['born meanwhile', 'four', 'half', 'one', 'two']);
});

test('a rotated log is read to its end, then the new one, also when both happened while we were away', async () => {
  await start();
  writeFileSync(file(), 'one\n');
  await until(1);
  await stop();
  appendFileSync(file(), 'two\n');
  renameSync(file(), file('web.log.0'));
  writeFileSync(file(), 'three\n');
  await start();
  await until(3);
  appendFileSync(file(), 'four\n');
  renameSync(file(), file('web.log.1'));
  writeFileSync(file(), 'five\n');
  await until(5);
  expect(texts()).toEqual(['one', 'two', 'three', 'four', 'five']);
});

test('an emptied log is read from its beginning, even when it grew longer than it was', async () => {
  await start();
  writeFileSync(file(), 'first line of the old\n');
  await until(1);
  await stop();
  truncateSync(file());
  writeFileSync(file(), 'other first line, much longer than before\nsecond\n');
  await start();
  await until(4);
  truncateSync(file());
  appendFileSync(file(), 'x\n');
  await until(5);
  // What it got before it was emptied nobody can know: nobody was there.
  expect(rig.lines[1]).toMatchObject({ level: 'warn', fields: { reason: 'emptied', fromByte: 22 } });
  expect(texts().slice(2)).toEqual(['other first line, much longer than before', 'second', 'x']);
});

test('of a log that is older than we are only the end is read, from the start of a line', async () => {
  writeFileSync(file(), `${'old\n'.repeat(100)}last but one\nlast\n`);
  await start({ oldLogBytes: 10 });
  await until(1);
  appendFileSync(file(), 'new\n');
  await until(2);
  expect(texts()).toEqual(['last', 'new']);
});

test('the UUID in the log is surer than its name', async () => {
  const other = 'bbbbbbbb-0000-4000-8000-000000000001';
  await start();
  writeFileSync(file(), `starting up\n-uuid ${other} \\\nafter\n`);
  await until(3);
  await stop();
  await start();
  appendFileSync(file(), 'much later\n');
  writeFileSync(file('nobody.log'), 'x\n');
  await until(5);
  const instances = new Map(rig.lines.map((line) => [line.message, line.instance]));
  expect(Object.fromEntries(instances)).toEqual({
    'starting up': ID,
    [`-uuid ${other} \\`]: other,
    after: other,
    'much later': other,
    x: undefined,
  });
});

test('a folder that comes later, damaged places and a long line do no harm', async () => {
  rmSync(join(folder, 'logs'), { recursive: true });
  rig.stored.set(`qemu:${file()}`, '{"offset": -1');
  await start({ lineCapBytes: 4 });
  mkdirSync(join(folder, 'logs'));
  writeFileSync(file(), '123456789\nab\n');
  await until(2);
  expect(texts()).toEqual(['1234 … [line cut here]', 'ab']);
});
