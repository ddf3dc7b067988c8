import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SourceRig, sourceRig } from '../../test/support/source-rig.ts';
import type { FileRule } from './files/files.ts';
import type { Source } from './source.ts';
import { createSources, type SourcesConfig } from './sources.ts';
import { FOLLOW_DEFAULTS } from './tail/follow-config.ts';

let folder: string;
let rig: SourceRig;
let source: Source | null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-sources-'));
  mkdirSync(join(folder, 'qemu'));
  rig = sourceRig();
  source = null;
});
afterEach(async () => {
  await source?.stop();
  expect(rig.faults).toEqual([]);
  rmSync(folder, { recursive: true });
});
const linkOf = (fd: string) => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
};
const path = (name: string) => join(folder, name);
const rule = (pattern: string, more: Partial<FileRule> = {}): FileRule => ({
  ...{ path: path(pattern), exclude: [], unit: '{name}', startWaitMs: 50, fields: {}, links: false, ...more },
});

async function start(rules: FileRule[], more: Partial<SourcesConfig> = {}): Promise<void> {
  const consoles = {
    instances: () => [],
    listed: () => true,
    on: () => () => undefined,
    onTurn: () => () => undefined,
    runs: async () => null,
    logFile: async () => undefined,
  };
  const deps = { ...rig, unwrittenBytes: () => (rig.busy ? 1e9 : 0), idOf: () => undefined, consoles };
  source = createSources(
    {
      ...FOLLOW_DEFAULTS,
      ...{ lookEveryMs: 20, graceMs: 20, qemuLogDir: path('qemu'), libvirtLogs: path('libvirt/*.log') },
      ...{ limitFiles: 10, openFiles: 8, console: null, journal: null, rules, ...more },
    },
    deps,
  );
  await source.start();
}

// RELIABILITY L19, by order and not by the clock.
test('a file that floods delays nobody: each line of the others is out before two more chunks of the flood', async () => {
  writeFileSync(path('flood.log'), '');
  for (let n = 0; n < 6; n += 1) writeFileSync(path(`quiet-${n}.log`), '');
  await start([rule('*.log')], { linesPerSecond: 1_000_000 });
  const floodChunks = 12;
  const chunkLines = (64 * 1024) / 16;
  // 100 times what the others say together; while nobody may read, so that all of it waits.
  rig.busy = true;
  writeFileSync(path('flood.log'), '0123456789abcde\n'.repeat(floodChunks * chunkLines));
  for (let n = 0; n < 6; n += 1) appendFileSync(path(`quiet-${n}.log`), `quiet ${n}\n`);
  rig.busy = false;
  await rig.until(() => rig.lines.length === floodChunks * chunkLines + 6);
  const places = rig.texts().flatMap((text, at) => (text.startsWith('quiet') ? [at] : []));
  expect(places.length).toBe(6);
  // Two lanes: the flood may have had one turn for each of the others, and one ahead.
  for (const [index, at] of places.entries()) expect(at).toBeLessThanOrEqual((index + 3) * chunkLines);
});

test('patterns, units, levels, times, JSON, records of several lines and fields of a rule', async () => {
  mkdirSync(path('app'));
  await start([
    rule('app/java.log', { start: '^\\d{4}-', fields: { team: 'blue' }, unit: '{folder}/{name}' }),
    rule('**/*.log', { exclude: ['skip*'] }),
  ]);
  writeFileSync(path('app/java.log'), '2026-11-20T10:00:00.250Z ERROR it broke\n  at one\n  at two\n');
  writeFileSync(path('app/json.log'), '{"level":"warning","msg":"hot","time":1795000000,"deg":91}\n');
  writeFileSync(path('app/plain.log'), '[WARN] careful\n\nmind the \0\0\0 gap\n');
  writeFileSync(path('app/skipped.log'), '');
  writeFileSync(path('app/skip.log'), 'not this\n');
  writeFileSync(path('app/old.log.gz'), 'nor this\n');
  await rig.count(4);
  const by = (text: string) => rig.lines.find(({ message }) => message.includes(text));
  expect(by('it broke')).toMatchObject({
    ...{ source: 'file', unit: 'app/java', level: 'error', tsMs: Date.UTC(2026, 10, 20, 10, 0, 0, 250) },
    ...{ fields: { team: 'blue' }, message: '2026-11-20T10:00:00.250Z ERROR it broke\n  at one\n  at two' },
  });
  expect(by('hot')).toMatchObject({
    unit: 'json',
    level: 'warn',
    message: 'hot',
    tsMs: 1_795_000_000_000,
    fields: { deg: 91 },
  });
  expect(by('careful')).toMatchObject({ unit: 'plain', level: 'warn' });
  expect(by('mind')).toMatchObject({ level: 'info', message: 'mind the ␀×3 gap' });
  expect(rig.lines.length).toBe(4);
});

test('no more files than the limit, no more open than allowed, and what was there long before only at its end', async () => {
  for (let n = 0; n < 14; n += 1)
    writeFileSync(path(`f${String(n).padStart(2, '0')}.log`), `${'old\n'.repeat(50_000)}last ${n}\n`);
  await start([rule('*.log')], { openFiles: 4, linesPerSecond: 1_000_000 });
  let last = 0;
  let seen = 0;
  await rig.until(() => {
    for (; seen < rig.lines.length; seen += 1) if (rig.lines[seen]!.message.startsWith('last')) last += 1;
    return last === 10;
  });
  const open = readdirSync('/proc/self/fd').filter(
    (fd) => linkOf(fd).startsWith(folder) && linkOf(fd).endsWith('.log'),
  );
  // Two more may just be opened, one in each lane.
  expect(open.length).toBeLessThanOrEqual(6);
  expect(rig.lines.length).toBeLessThanOrEqual(10 * (64 * 256 + 1));
});

test('libvirt’s own log: time, level and function', async () => {
  mkdirSync(path('libvirt'));
  await start([]);
  writeFileSync(
    path('libvirt/libvirtd.log'),
    '2026-11-21 08:05:11.494+0000: 1234: error : virNetSocketReadWire:1791 : End of file while reading data\nhostname: h1\n',
  );
  await rig.count(2);
  expect(rig.lines[0]).toEqual({
    ...{ source: 'libvirt', unit: 'libvirtd', level: 'error', message: 'End of file while reading data' },
    ...{ tsMs: Date.UTC(2026, 10, 21, 8, 5, 11, 494), fields: { thread: 1234, function: 'virNetSocketReadWire' } },
  });
});
