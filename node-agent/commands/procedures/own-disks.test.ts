import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ProcedureRig, procedureRig, VM } from '../../../test/support/procedure-rig.ts';
import { run } from '../../../test/support/run.ts';
import { domainDisks } from './domain-files.ts';
import { diskSerial, domainXml } from './launch-xml.ts';
import { removeFile } from './new-disk.ts';
import { judgeDisks } from './own-disks.ts';

let rig: ProcedureRig;
let own: string;
beforeEach(async () => {
  rig = procedureRig();
  own = join(rig.pool, `${VM}.qcow2`);
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '--', own, '1M']);
});
afterEach(() => rig.stop());

const disk = (change = {}) => ({ file: own, device: 'disk', serial: diskSerial(VM), ...change });
const judge = (...disks: ReturnType<typeof disk>[]) => judgeDisks(VM, disks, rig);
const kept = async (...disks: ReturnType<typeof disk>[]) => {
  const { remove, keep } = await judge(...disks);
  expect(remove).toEqual([]);
  return keep.map(({ reason }) => reason).join();
};

test('a disk that a launch made goes with its instance, once', async () => {
  const { remove, keep } = await judge(disk(), disk());
  expect([remove.map(({ path }) => path), keep]).toEqual([[own], []]);
  expect([await removeFile(own, 1), await removeFile(own, remove[0]?.ino)]).toEqual([false, true]);
});

test('any other disk stays', async () => {
  writeFileSync(join(rig.pool, 'other.qcow2'), '');
  expect(await kept(disk({ file: join(rig.pool, 'other.qcow2') }))).toContain('not made by WebVirt');
  expect(await kept(disk({ serial: '' }))).toContain('not made by WebVirt');
  expect(await kept(disk({ device: 'cdrom' }))).toContain('cdrom');
  const outside = join(rig.folder, `${VM}.qcow2`);
  writeFileSync(outside, '');
  expect(await kept(disk({ file: outside }))).toContain('no pool');
  mkdirSync(join(rig.pool, 'sub'));
  const deeper = join(rig.pool, 'sub', `${VM}.qcow2`);
  writeFileSync(deeper, '');
  expect(await kept(disk({ file: deeper }))).toContain('no pool');
  for (const file of ['/etc/passwd', '/dev/null', '', `${rig.pool}/../pool/${VM}.qcow2`]) await kept(disk({ file }));
});

test('what others stand on stays', async () => {
  rig.instances.push({ id: 'other', name: 'x', disks: [{ target: 'vda', device: 'disk', source: own }] } as never);
  expect(await kept(disk())).toContain('another instance');
  rig.instances.length = 0;
  const clone = join(rig.pool, 'clone.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', own, '-F', 'qcow2', '--', clone]);
  expect(await kept(disk())).toContain('stand on it');
  renameSync(clone, join(rig.folder, 'clone.qcow2'));
  await rig.resources.images.put({
    ...{ name: 'x', pool: 'default', path: own, format: 'qcow2', virtualBytes: 1, fileBytes: 1, registeredMs: 1 },
    identity: { ino: 1, sizeBytes: 1, modifiedMs: 1 },
  });
  expect(await kept(disk())).toContain('base image');
});

test.each(['bare', 'file', 'json'] as const)('a clone that names it in another way (%s) counts too', async (way) => {
  const names = {
    bare: `${VM}.qcow2`,
    file: `file:${own}`,
    json: `json:{"driver":"qcow2","file":{"driver":"file","filename":"${own}"}}`,
  };
  const clone = join(rig.pool, 'clone.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', names[way], '-F', 'qcow2', '--', clone]);
  expect(await kept(disk())).toContain('stand on it');
});

test('a link in the place of the disk is not followed (S5)', async () => {
  const canary = join(rig.folder, 'canary');
  renameSync(own, canary);
  symlinkSync(canary, own);
  await kept(disk());
  expect(await removeFile(own)).toBe(false);
  renameSync(own, join(rig.folder, 'link'));
  linkSync(canary, own);
  await kept(disk());
  renameSync(own, join(rig.folder, 'hard'));
  // The folder of the pool itself becomes a link.
  writeFileSync(own, '');
  renameSync(rig.pool, join(rig.folder, 'moved'));
  symlinkSync(join(rig.folder, 'moved'), rig.pool);
  await kept(disk());
  expect(await removeFile(own)).toBe(false);
});

const PAYLOADS = [
  ...["</name><devices><disk type='file'><source file='/etc/shadow'/></disk></devices><name>", '"', "'", '&', '<', '>'],
  ...[
    ']]>',
    '<!--',
    '-->',
    '<![CDATA[',
    '&#0;',
    '&lt;',
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    '&a;',
  ],
  ...['日本', '😀', '\u202e', ' ', '--', '{x}', '{name}', "x' y='z", '<qemu:commandline/>', 'xmlns:qemu="q"', '%s'],
];

test.each(PAYLOADS)('%j in any text of a domain is text (S4)', (payload) => {
  const plan = {
    ...{ uuid: VM, name: 'web', type: 'qemu' as const, arch: 'x86_64', vcpus: 1, memoryBytes: 2 ** 25 },
    ...{ diskPath: own, consoleLog: '/c', network: { kind: 'bridge' as const, name: 'b' }, kernel: '/k', initrd: '/i' },
  };
  const shape = (xml: string) => xml.replaceAll(/"[^"]*"/g, '""').replaceAll(/>[^<]+</g, '><');
  const plain = shape(domainXml({ ...plan, cmdline: 'x' }));
  for (const field of ['name', 'diskPath', 'consoleLog', 'kernel', 'initrd', 'cmdline'] as const)
    expect(shape(domainXml({ ...plan, cmdline: 'x', [field]: payload }))).toBe(plain);
  const bridged = domainXml({ ...plan, cmdline: 'x', network: { kind: 'bridge', name: payload } });
  expect(shape(bridged)).toBe(plain);
  expect(domainDisks(domainXml({ ...plan, diskPath: payload }))).toEqual([
    { file: payload, device: 'disk', serial: diskSerial(VM) },
  ]);
});
