import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SourceRig, sourceRig } from '../../../test/support/source-rig.ts';
import type { Source } from '../source.ts';
import { FOLLOW_DEFAULTS } from '../tail/follow-config.ts';
import type { ConsoleTurn } from './console-life.ts';
import { type ConsoleInstance, createConsoleLog } from './console-log.ts';

const ID = 'aaaaaaaa-0000-4000-8000-000000000001';
const OTHER = 'bbbbbbbb-0000-4000-8000-000000000001';
let folder: string;
let rig: SourceRig;
let source: Source | null;
let instances: ConsoleInstance[];
let changed: () => void;
let told: (turn: ConsoleTurn) => void;
let runs: Map<string, string>;
const files = new Map<string, { present: boolean; logFile: string | null }>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-console-log-'));
  mkdirSync(join(folder, 'consoles'));
  rig = sourceRig();
  source = null;
  instances = [{ id: ID, name: 'web', state: 'running', stateReason: 'booted' }];
  files.clear();
  runs = new Map([[ID, '1']]);
});
afterEach(async () => {
  await source?.stop();
  expect(rig.faults).toEqual([]);
  rmSync(folder, { recursive: true });
});
const file = (id = ID) => join(folder, 'consoles', `${id}.log`);

async function start(more = {}): Promise<void> {
  rig.renew();
  const follow = { ...FOLLOW_DEFAULTS, lookEveryMs: 20, graceMs: 20, partialAfterMs: 50 };
  const consoles = {
    instances: () => instances,
    listed: () => true,
    on(handler: () => void) {
      changed = handler;
      return () => undefined;
    },
    onTurn(handler: (turn: ConsoleTurn) => void) {
      told = handler;
      return () => undefined;
    },
    runs: async () => runs,
    logFile: async (id: string) => files.get(id),
  };
  const config = { ...follow, consoleLogDir: join(folder, 'consoles'), hostName: 'h2', ...more };
  source = createConsoleLog(config, { ...rig, consoles });
  await source.start();
}
async function stop(): Promise<void> {
  await source?.stop();
  source = null;
}

test('lines by instance, a prompt after a while, progress as one line; read to the end when the instance is deleted', async () => {
  await start();
  writeFileSync(file(), 'boot\r\n\r\n 10%\r 50%\r100%\nlogin: ');
  await rig.count(3);
  expect(rig.lines[0]).toMatchObject({ source: 'console', unit: 'web', instance: ID, level: 'info', message: 'boot' });
  expect(rig.texts()).toEqual(['boot', '100%', 'login:']);
  // Turned off, started: libvirt appends.
  instances = [{ id: ID, name: 'web', state: 'shutoff', stateReason: 'destroyed' }];
  changed();
  appendFileSync(file(), '\nKernel panic - not syncing\n');
  await rig.count(4);
  expect(rig.lines[3]?.level).toBe('error');
  // The last words are written and the file is deleted before anybody looks.
  rig.busy = true;
  appendFileSync(file(), 'last words\n');
  instances = [];
  unlinkSync(file());
  changed();
  rig.busy = false;
  await rig.count(5);
  expect(rig.texts()[4]).toBe('last words');
  await expect.poll(() => [...rig.stored.keys()].filter((name) => name.includes(ID))).toEqual([]);
});

test('where an instance arrives by a move, one line says so before its first line, also over a new start', async () => {
  instances = [{ id: ID, name: 'web', state: 'paused', stateReason: 'migrating' }];
  await start();
  writeFileSync(file(), 'goes on\n');
  changed();
  instances = [{ id: ID, name: 'web', state: 'running', stateReason: 'migrated' }];
  changed();
  await rig.count(2);
  expect(rig.texts()).toEqual(['The console goes on on host h2', 'goes on']);
  expect(rig.lines[0]).toMatchObject({ instance: ID, source: 'console', fields: { marker: 'moved', host: 'h2' } });
  await stop();
  appendFileSync(file(), 'and on\n');
  await start();
  await rig.count(3);
  expect(rig.texts()[2]).toBe('and on');
  // Away, and back after a while: the file is still here, and goes on behind what was read.
  instances = [];
  changed();
  await expect.poll(() => rig.stored.has(`console-at:${ID}`)).toBe(false);
  instances = [{ id: ID, name: 'web', state: 'running', stateReason: 'migrated' }];
  changed();
  appendFileSync(file(), 'back\n');
  await rig.count(5);
  expect(rig.texts().slice(3)).toEqual(['The console goes on on host h2', 'back']);
});

test('a console that libvirt writes elsewhere is found by the definition; one that is not kept is told once', async () => {
  instances = [
    { id: ID, name: 'web', state: 'running' },
    { id: OTHER, name: 'bare', state: 'running' },
  ];
  files.set(ID, { present: true, logFile: join(folder, 'other.log') });
  files.set(OTHER, { present: true, logFile: null });
  writeFileSync(join(folder, 'other.log'), '');
  await start();
  appendFileSync(join(folder, 'other.log'), 'hello\n');
  await rig.until(
    () => rig.texts().includes('hello') && rig.lines.some(({ fields }) => fields?.['hint'] === 'console-log'),
  );
  expect(rig.lines.find(({ instance }) => instance === OTHER)?.message).toMatch(/append='on'/);
  await stop();
  await start();
  appendFileSync(join(folder, 'other.log'), 'again\n');
  await rig.until(() => rig.texts().includes('again'));
  expect(rig.lines.length).toBe(3);
  expect(existsSync(file())).toBe(false);
});

describe('a turn in the life of a guest is one line of its console', () => {
  const off = { id: ID, name: 'web', state: 'shutoff', stateReason: 'destroyed' };
  const on = { id: ID, name: 'web', state: 'running', stateReason: 'booted' };
  const life = () => rig.stored.get(`console-life:${ID}`);
  const turns = () => rig.lines.map(({ fields, tsMs, level }) => [fields?.['marker'], level, tsMs]);
  /** The guest is another run now, as libvirt numbers them. */
  function run(instance: ConsoleInstance, number?: string): void {
    instances = [instance];
    if (number === undefined) runs.delete(ID);
    else runs.set(ID, number);
    changed();
  }
  beforeEach(async () => {
    writeFileSync(file(), '');
    await start();
    await expect.poll(life).toBe('on:1');
    expect(rig.lines).toEqual([]);
  });

  test('a start after it was off, with the time that libvirt told; not what the agent finds running', async () => {
    run(off);
    await expect.poll(life).toBe('off');
    instances = [on];
    runs.set(ID, '2');
    told({ id: ID, kind: 'started', tsMs: 77 });
    await rig.count(1);
    expect(rig.lines[0]).toEqual({
      ...{ tsMs: 77, level: 'info', source: 'console', unit: 'web', instance: ID },
      ...{ message: 'The instance was started on host h2', fields: { marker: 'started', host: 'h2' } },
    });
    expect(life()).toBe('on:2');
  });

  test('a start that was too quick to be seen off, once, also when its news comes twice', async () => {
    runs.set(ID, '2');
    for (const tsMs of [5, 5]) told({ id: ID, kind: 'started', tsMs });
    await rig.count(1);
    changed();
    told({ id: ID, kind: 'reset', tsMs: 9 });
    await rig.count(2);
    expect(turns()).toEqual([
      ['started', 'info', 5],
      ['reset', 'info', 9],
    ]);
  });

  test('a start that was seen before libvirt told it, and whose run could not be read then: once', async () => {
    run(off);
    await expect.poll(life).toBe('off');
    run(on);
    await rig.count(1);
    expect(life()).toBe('on:?');
    runs.set(ID, '2');
    told({ id: ID, kind: 'started', tsMs: rig.lines[0]!.tsMs - 7 });
    await expect.poll(life).toBe('on:2');
    // A look at an older state of it changes nothing.
    run(off);
    await expect.poll(life).toBe('off');
    run(on, '2');
    await expect.poll(life).toBe('on:2');
    expect(turns().map(([marker]) => marker)).toEqual(['started']);
    // The next run is another start, however soon.
    run(off);
    await expect.poll(life).toBe('off');
    run(on, '3');
    await rig.count(2);
  });

  test('a reset that QEMU tells three times is one, a later one another', () => {
    for (const tsMs of [528, 561, 561, 1_900]) told({ id: ID, kind: 'reset', tsMs });
    expect(turns()).toEqual([
      ['reset', 'info', 528],
      ['reset', 'info', 1_900],
    ]);
  });

  test('a start that libvirt told, also when it does not say which run it is', async () => {
    runs.delete(ID);
    told({ id: ID, kind: 'started', tsMs: 6 });
    await rig.count(1);
    expect(turns()).toEqual([['started', 'info', 6]]);
    expect(life()).toBe('on:?');
  });

  test('a start while the agent was not there; none when it is the same run', async () => {
    await stop();
    await start();
    await expect.poll(() => rig.stored.has(`console-at:${ID}`)).toBe(true);
    await stop();
    runs.set(ID, '2');
    await start();
    await rig.count(1);
    expect(rig.texts()).toEqual(['The instance was started, while the agent was not there, on host h2']);
  });

  test('a crash, by the event or by the state, once, and the start after it', async () => {
    told({ id: ID, kind: 'crashed', tsMs: 3 });
    run({ ...off, state: 'crashed', stateReason: 'crashed' });
    run(on, '2');
    await rig.count(2);
    run({ ...off, state: 'crashed', stateReason: 'crashed' });
    await rig.count(3);
    expect(turns().map(([marker, level]) => [marker, level])).toEqual([
      ['crashed', 'error'],
      ['started', 'info'],
      ['crashed', 'error'],
    ]);
    // A start that fails is none, and no crash.
    told({ id: ID, kind: 'crashed', tsMs: 4 });
    expect(rig.lines.length).toBe(3);
  });
});
