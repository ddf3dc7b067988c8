import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ProcedureRig, procedureRig } from '../../../test/support/procedure-rig.ts';
import { run } from '../../../test/support/run.ts';
import { createImages, imageFault } from '../../resources/images.ts';
import { createQemuImg } from '../../resources/qemu-img.ts';
import { createForgetImage, createRegisterImage } from './images.ts';
import type { Procedure } from './procedure.ts';

let rig: ProcedureRig;
let register: Procedure;
let canary: string;
const SECRET = 'the host’s own secret, never to be read\n'.repeat(64);

beforeEach(() => {
  rig = procedureRig();
  register = createRegisterImage({ ...rig, qemuImg: createQemuImg('qemu-img'), now: () => 5 });
  canary = join(rig.folder, 'canary');
  writeFileSync(canary, SECRET);
  // Older than its change: the first read would move the time of access.
  utimesSync(canary, 1_000, 2_000);
});
afterEach(() => {
  expect(statSync(canary)).toMatchObject({ atimeMs: 1_000_000, mtimeMs: 2_000_000, size: Buffer.byteLength(SECRET) });
  rig.stop();
});

const image = (file: string, format = 'qcow2', rest = {}) =>
  rig.run(register, { name: 'base', pool: 'default', file, format, ...rest });
const inPool = (name: string) => join(rig.pool, name);
const make = (name: string, ...options: string[]) =>
  run('qemu-img', ['create', '-q', ...(options.length > 0 ? options : ['-f', 'qcow2']), '--', inPool(name), '4M']);

/** Writes bytes into a file at a place. */
function patch(name: string, at: number, hex: string): void {
  const file = openSync(inPool(name), 'r+');
  writeSync(file, Buffer.from(hex, 'hex'), 0, hex.length / 2, at);
  closeSync(file);
}

test('a whole image is registered with its size, kept over a restart, and forgotten with its file in place', async () => {
  await make('a.qcow2');
  mkdirSync(inPool('boot'));
  for (const name of ['vmlinuz', 'initrd']) writeFileSync(inPool(`boot/${name}`), name);
  const boot = { kernel: 'boot/vmlinuz', initrd: 'boot/initrd', cmdline: 'console=ttyS0 name={name}' };
  expect(await image('a.qcow2', 'qcow2', boot)).toMatchObject({
    state: 'done',
    result: { virtualBytes: 4 * 1024 * 1024 },
  });
  const again = createImages(join(rig.folder, 'images.json'));
  await again.load();
  expect(again.list()).toMatchObject([
    { name: 'base', path: inPool('a.qcow2'), kernel: inPool('boot/vmlinuz'), registeredMs: 5 },
  ]);
  expect(await imageFault(again.get('base')!)).toBeNull();
  await make('b.qcow2');
  expect(await image('b.qcow2')).toMatchObject({ error: { code: 'name-taken' } });
  writeFileSync(inPool('a.qcow2'), 'x', { flag: 'a' });
  expect(await imageFault(again.get('base')!)).toContain('changed');
  const forget = createForgetImage(rig);
  expect(await rig.run(forget, { name: 'base' })).toMatchObject({ state: 'done' });
  expect(await rig.run(forget, { name: 'base' })).toMatchObject({ state: 'done', result: { noop: true } });
  expect([rig.resources.images.list(), readFileSync(inPool('a.qcow2')).length > 0]).toEqual([[], true]);
});

test.each([
  ['', '.', '..', '../canary', 'a/../../canary', '/etc/passwd', './a', 'a//b', 'a/', '-f', '-rf/a', '.hidden', 'a/.b'],
  [
    'json:{"driver":"file","filename":"/etc/passwd"}',
    'nbd:127.0.0.1:1',
    'file:/etc/passwd',
    'ssh://h/x',
    'a:b',
    'fd:0',
  ],
  [
    'a\0b',
    'a\nb',
    'a b',
    'a;b',
    '$(id)',
    '`id`',
    'a|b',
    '%2e%2e/canary',
    '..%5ccanary',
    'a\\b',
    'ä',
    '\u202e',
    '*',
    '~',
  ],
  [
    'a'.repeat(300),
    `${'a/'.repeat(300)}a`,
    '/proc/self/mem',
    '/proc/self/root/etc/passwd',
    '/dev/zero',
    'a,b',
    '@a',
    '#a',
  ],
])('paths that are not plain are refused: %s …', async (...paths) => {
  for (const path of paths) {
    const codes = [await image(path), await image('x', 'raw', { kernel: path })].map(({ error }) => error?.code);
    expect([path, codes[0]]).toEqual([path, expect.stringMatching(/^bad-(?:name|request)$/)]);
    expect(codes[1]).toMatch(/^(?:bad-name|bad-request|not-found)$/);
  }
  expect(rig.resources.images.list()).toEqual([]);
});

test('what is no plain file of the pool is refused, and a pipe does not hold us', async () => {
  symlinkSync(canary, inPool('link'));
  symlinkSync('/dev/zero', inPool('zero'));
  symlinkSync(rig.folder, inPool('out'));
  mkdirSync(inPool('folder'));
  await run('mkfifo', [inPool('pipe')]);
  for (const file of ['link', 'zero', 'out/canary', 'folder', 'pipe', 'absent'])
    for (const format of ['raw', 'qcow2'])
      expect([file, (await image(file, format)).error?.code]).toEqual([
        file,
        file === 'absent' ? 'not-found' : 'bad-request',
      ]);
  linkSync(canary, inPool('hard'));
  expect((await image('hard', 'raw')).error?.code).toBe('bad-request');
  rmSync(inPool('hard'));
  for (const pool of ['missing', 'other']) expect((await image('a', 'raw', { pool })).error?.code).toBe('not-found');
});

test('images that stand on other files, or are not what they are said to be, are refused (S6)', async () => {
  await make('plain.qcow2');
  const backed = (name: string, backing: string, as = 'raw') =>
    run('qemu-img', ['create', '-q', '-u', '-f', 'qcow2', '-b', backing, '-F', as, '--', inPool(name), '4M']);
  await backed('host', canary);
  await backed('relative', '../canary');
  await backed('json', `json:{"driver":"file","filename":"${canary}"}`);
  await backed('nbd', 'nbd:127.0.0.1:1');
  await backed('inside', inPool('plain.qcow2'), 'qcow2');
  await make('data', '-f', 'qcow2', '-o', `data_file=${join(rig.folder, 'data.raw')},data_file_raw=on`);
  for (const format of ['vmdk', 'vdi', 'qed', 'vhdx', 'vpc', 'parallels']) await make(format, '-f', format);
  writeFileSync(inPool('luks'), Buffer.concat([Buffer.from('LUKS\xba\xbe\0\x01', 'latin1'), Buffer.alloc(8_192)]));
  await make('encrypted');
  patch('encrypted', 32, '00000002');
  writeFileSync(inPool('descriptor'), `# Disk DescriptorFile\nversion=1\nRW 8192 FLAT "${canary}" 0\n`);
  writeFileSync(inPool('short'), readFileSync(inPool('plain.qcow2')).subarray(0, 40));
  writeFileSync(inPool('empty'), '');
  for (const name of ['host', 'relative', 'json', 'nbd', 'inside', 'data', 'encrypted'])
    for (const format of ['qcow2', 'raw'])
      expect([name, format, (await image(name, format)).error?.code]).toEqual([name, format, 'bad-request']);
  for (const name of ['vmdk', 'vdi', 'qed', 'vhdx', 'parallels', 'luks', 'descriptor', 'short', 'plain.qcow2'])
    expect([name, (await image(name, 'raw')).error?.code]).toEqual([name, 'bad-request']);
  for (const name of ['vmdk', 'vdi', 'vpc', 'luks', 'descriptor', 'short', 'empty'])
    expect([name, (await image(name, 'qcow2')).error?.code]).toEqual([name, 'bad-request']);
  // By our own look, before QEMU sees it.
  expect((await image('host')).error?.message).toContain('difference to another file');
  // A header whose backing name is said to be longer than any, or far away.
  for (const [at, bytes] of [
    [8, 'ffffffffffffffff'],
    [16, 'ffffffff'],
  ] as const) {
    await backed('odd', canary);
    patch('odd', at, bytes);
    expect((await image('odd')).error?.code).toBe('bad-request');
  }
  expect(rig.resources.images.list()).toEqual([]);
});

test('the disk of an instance is no base', async () => {
  await make('disk.qcow2');
  const disks = [{ target: 'vda', device: 'disk', source: inPool('disk.qcow2') }];
  rig.instances.push({ id: 'x', name: 'web', disks } as never);
  expect(await image('disk.qcow2')).toMatchObject({ error: { code: 'in-use' } });
});

test('a folder that is swapped for a link while it is looked at never leads out (S5)', async () => {
  await make('x.raw', '-f', 'raw');
  mkdirSync(inPool('real'));
  renameSync(inPool('x.raw'), inPool('real/x.raw'));
  const outside = join(rig.folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'x.raw'), SECRET);
  symlinkSync(outside, join(rig.folder, 'sub-link'));
  renameSync(inPool('real'), inPool('sub'));
  let going = true;
  const swapping = (async () => {
    while (going) {
      renameSync(inPool('sub'), join(rig.folder, 'sub-real'));
      renameSync(join(rig.folder, 'sub-link'), inPool('sub'));
      await nextTurn();
      renameSync(inPool('sub'), join(rig.folder, 'sub-link'));
      renameSync(join(rig.folder, 'sub-real'), inPool('sub'));
      await nextTurn();
    }
  })();
  const seen = new Set<string>();
  for (let i = 0; i < 60; i += 1) {
    const outcome = await image('sub/x.raw', 'raw');
    seen.add(outcome.error?.code ?? 'done');
    for (const { path, virtualBytes } of rig.resources.images.list())
      expect([path, virtualBytes]).toEqual([inPool('sub/x.raw'), 4 * 1024 * 1024]);
  }
  going = false;
  await swapping;
  expect([...seen].every((code) => ['done', 'bad-request', 'not-found'].includes(code))).toBe(true);
});

test('two files that are registered under one name at once are not both taken', async () => {
  await Promise.all([make('a.qcow2'), make('b.qcow2')]);
  const outcomes = await Promise.all([image('a.qcow2'), image('b.qcow2')]);
  expect(outcomes.map(({ state, error }) => error?.code ?? state).sort()).toEqual(['done', 'name-taken']);
});

test('the disk of an instance is no base image, by whatever name the instance has it', async () => {
  await make('a.qcow2');
  symlinkSync(inPool('a.qcow2'), inPool('link.qcow2'));
  rig.instances.push({
    name: 'web',
    disks: [{ target: 'vda', device: 'disk', source: inPool('link.qcow2') }],
  } as never);
  expect(await image('a.qcow2')).toMatchObject({ error: { code: 'in-use' } });
});
