import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { JOURNALD, type PrivateJournald, startPrivateJournald } from '../../../test/support/private-journald.ts';
import { type SourceRig, sourceRig } from '../../../test/support/source-rig.ts';
import type { Source } from '../source.ts';
import { createJournal } from './journal.ts';

let rig: SourceRig;
let source: Source | null = null;
const told: { message: string; fields: Record<string, unknown> }[] = [];

async function start(more: Partial<Parameters<typeof createJournal>[0]>): Promise<void> {
  const config = {
    journalctl: 'journalctl',
    directory: '',
    past: 100,
    exclude: [],
    linesPerSecond: 1_000,
    lineCapBytes: 1_000,
  };
  const say = (message: string, fields: Record<string, unknown>) => void told.push({ message, fields });
  const log = { debug: say, info: say, warn: say, error: say } as unknown as typeof rig.log;
  source = createJournal({ ...config, ...more }, { ...rig, log, isBusy: () => rig.busy });
  await source.start();
}
async function stop(): Promise<void> {
  await source?.stop();
  source = null;
}
beforeEach(() => {
  rig = sourceRig();
  told.length = 0;
});
afterEach(stop);

const real = process.getuid?.() === 0 && existsSync(JOURNALD);
describe.skipIf(!real)('a real journald', () => {
  let journald: PrivateJournald;
  const has = (text: string) => () => rig.texts().includes(text);
  const ours = () => rig.lines.filter(({ unit }) => unit?.startsWith('test')).map(({ message }) => message);
  beforeAll(async () => {
    journald = await startPrivateJournald();
  });
  afterAll(() => journald?.stop());

  test('entries come with unit, level, time and fields, whatever is in them', async () => {
    await start({ directory: journald.directory });
    await journald.say('test-a', 'warning', 'careful');
    await journald.entry({
      MESSAGE: Buffer.from('two\nlines \xff', 'latin1'),
      PRIORITY: '3',
      SYSLOG_IDENTIFIER: 'test-b',
    });
    await journald.entry({
      MESSAGE: 'x'.repeat(5_000),
      PRIORITY: '7',
      SYSLOG_IDENTIFIER: 'test-c',
      HUGE: 'y'.repeat(50_000),
    });
    await rig.until(() => ours().length === 3);
    const [a, b, c] = rig.lines.filter(({ unit }) => unit?.startsWith('test'));
    expect(a).toMatchObject({ source: 'journal', level: 'warn', unit: 'test-a', message: 'careful' });
    expect(a?.fields).toMatchObject({ identifier: 'test-a', uid: 0, transport: 'stdout', pid: expect.any(Number) });
    expect(Math.abs(a!.tsMs - Date.now())).toBeLessThan(60_000);
    expect(b).toMatchObject({ level: 'error', message: 'two\nlines \ufffd' });
    expect(c).toMatchObject({ level: 'debug', message: `${'x'.repeat(1_000)} … [line cut here]` });
  });

  test('a new start goes on behind the last line; what was said meanwhile is there, nothing twice', async () => {
    await start({ directory: journald.directory });
    await journald.say('test-d', 'info', 'before');
    await rig.until(has('before'));
    await stop();
    await journald.say('test-d', 'info', 'meanwhile');
    await start({ directory: journald.directory });
    await journald.say('test-d', 'info', 'after');
    await rig.until(has('after'));
    const all = rig.texts().filter((text) => ['before', 'meanwhile', 'after'].includes(text));
    expect(all).toEqual(['before', 'meanwhile', 'after']);
    expect(told).toEqual([]);
  });

  test('a journal without the entry at which it was left, and a place that is none, are told and gone on from', async () => {
    await start({ directory: journald.directory });
    await journald.say('test-e', 'info', 'will be thrown away');
    await rig.until(has('will be thrown away'));
    await stop();
    for (const text of ['lost one', 'lost two', 'lost three']) await journald.say('test-e', 'info', text);
    await journald.vacuum(1);
    await journald.vacuum(1);
    await journald.say('test-e', 'info', 'kept');
    await start({ directory: journald.directory });
    await rig.until(has('kept'));
    const gaps = () => rig.lines.filter(({ fields }) => fields?.['reason'] === 'journal-cursor');
    expect(gaps().length).toBe(1);
    // Counted, by the numbers of the entries: those three, and what systemd-cat or journald itself may have said beside them.
    expect(gaps()[0]?.fields?.['dropped']).toBeGreaterThanOrEqual(3);
    expect(gaps()[0]?.fields?.['dropped']).toBeLessThan(10);
    expect(rig.texts().filter((text) => text.startsWith('lost '))).toEqual([]);
    expect(rig.texts().filter((text) => text === 'kept').length).toBe(1);
    await stop();
    const name = `journal:${journald.directory}`;
    rig.stored.set(name, JSON.stringify({ ...JSON.parse(rig.stored.get(name)!), cursor: 'nonsense' }));
    await journald.say('test-e', 'info', 'also kept');
    await start({ directory: journald.directory });
    await rig.until(has('also kept'));
    expect(gaps().length).toBe(2);
    expect(rig.texts().filter((text) => text === 'kept' || text === 'also kept')).toEqual(['kept', 'also kept']);
  });

  test('a unit that floods is cut and told with numbers; the others lose nothing', async () => {
    await start({ directory: journald.directory, linesPerSecond: 10, past: 0 });
    await journald.say('test-loud', 'info', Array.from({ length: 300 }, (_, n) => `loud ${n}`).join('\n'));
    await journald.say('test-quiet', 'info', 'quiet');
    await rig.until(has('quiet'));
    const loud = rig.lines.filter(({ message }) => message.startsWith('loud ')).length;
    expect(loud).toBeGreaterThanOrEqual(50);
    expect(loud).toBeLessThan(300);
    await stop();
    const gap = rig.lines.filter(({ unit, fields }) => unit === 'test-loud' && fields?.['reason'] === 'rate');
    const dropped = gap.reduce((sum, { fields }) => sum + Number(fields?.['dropped']), 0);
    expect(loud + dropped).toBe(300);
  });
});

// A stand-in that prints what journalctl prints, for faults that a real journal does not have at will.
describe('a journalctl that fails', () => {
  let folder: string;
  let program: string;
  const argv = () => readFileSync(join(folder, 'argv'), 'utf8').trim().split('\n');
  const entry = (n: number, more = {}) =>
    JSON.stringify({
      __CURSOR: `c${n}`,
      __REALTIME_TIMESTAMP: `${1_790_000_000_000_000 + n}`,
      MESSAGE: `m${n}`,
      _SYSTEMD_UNIT: 'u.service',
      ...more,
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'webvirt-journalctl-'));
    program = join(folder, 'journalctl');
  });
  afterEach(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });
  function script(text: string): void {
    writeFileSync(program, `#!/bin/sh\ncd '${folder}'\necho "$@" >> argv\nturn=$(wc -l < argv)\n${text}\n`);
    chmodSync(program, 0o755);
  }
  const put = (name: string, ...entries: string[]) => writeFileSync(join(folder, name), `${entries.join('\n')}\n`);

  test('is started again from the last entry, which is not given twice', async () => {
    put('1', entry(1), 'no JSON', entry(2));
    put('2', entry(2), entry(3));
    script('cat $turn; [ $turn = 1 ] && exit 1; exec sleep 60');
    await start({ journalctl: program });
    await rig.count(3);
    expect(rig.texts()).toEqual(['m1', 'm2', 'm3']);
    expect(argv()[0]).toMatch(/--follow .*--boot=all --lines=100$/);
    expect(argv()[1]).toMatch(/--no-tail --cursor=c2$/);
    expect(told.map(({ message }) => message)).toContain('journalctl ended; it is started again');
  });

  test('an entry of 6 MB is left out and told; the next one comes', async () => {
    put('1', entry(1), entry(2, { MESSAGE: 'x'.repeat(6_000_000) }), entry(3));
    script('cat $turn; exec sleep 60');
    await start({ journalctl: program });
    await rig.count(3);
    expect(rig.lines.map(({ message, fields }) => fields?.['reason'] ?? message)).toEqual(['m1', 'too-large', 'm3']);
  });

  test.each([
    ['the next one is there', 's=ab;i=1f;b=1', 's=ab;i=20;b=1', []],
    ['some are missing', 's=ab;i=1f;b=1', 's=ab;i=2f;b=1', [15]],
    ['it is another journal', 's=ab;i=1f;b=1', 's=cd;i=20;b=1', [undefined]],
    ['it was numbered anew', 's=ab;i=1f;b=1', 's=ab;i=3;b=1', [undefined]],
  ])('behind an entry that is gone: %s', async (_, left, next, dropped) => {
    put('1', entry(2, { __CURSOR: next }));
    script('cat $turn; exec sleep 60');
    rig.stored.set('journal:', JSON.stringify({ cursor: left, realtimeUs: 1_790_000_000_000_000 }));
    await start({ journalctl: program });
    await rig.until(() => rig.texts().includes('m2'));
    const gaps = rig.lines.filter(({ fields }) => fields?.['reason'] === 'journal-cursor');
    expect(gaps.map(({ fields }) => fields?.['dropped'])).toEqual(dropped);
  });

  test('units of our own are left out, but their place is kept', async () => {
    put('1', entry(1), entry(2, { _SYSTEMD_UNIT: 'webvirt-agent.service' }));
    script('cat $turn; exec sleep 60');
    await start({ journalctl: program, exclude: ['webvirt-*.service'] });
    await rig.count(1);
    await expect.poll(() => rig.stored.get('journal:')).toContain('"c2"');
    expect(rig.texts()).toEqual(['m1']);
  });

  test('none at all is said once', async () => {
    await start({ journalctl: join(folder, 'missing') });
    await expect.poll(() => told.length).toBe(1);
    expect(told[0]?.message).toMatch(/no journalctl/);
  });
});
