import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentInstance } from '../../../common/model/instance.ts';
import { type ProcedureRig, procedureRig, VM } from '../../../test/support/procedure-rig.ts';
import { run } from '../../../test/support/run.ts';
import { mountSmallDisk } from '../../../test/support/small-disk.ts';
import type { VirshOutcome } from '../../libvirt/virsh-children.ts';
import { createQemuImg } from '../../resources/qemu-img.ts';
import { createRegisterImage } from './images.ts';
import { createLaunch } from './launch.ts';
import type { Procedure } from './procedure.ts';

// The steps of a launch with real disks and a libvirt that is told what to answer.
const yes: VirshOutcome = { ended: 'exit', code: 0, signal: null, stdout: '', stderr: '' };
const no = (stderr: string): VirshOutcome => ({ ...yes, code: 1, stderr: `error: ${stderr}` });

let rig: ProcedureRig;
let launch: Procedure;
let domain: AgentInstance | null;
let said: string[];
let answers: { define: VirshOutcome; start: VirshOutcome };
let beforeStart: () => void;

beforeEach(async () => {
  rig = procedureRig();
  [domain, said, answers, beforeStart] = [null, [], { define: yes, start: yes }, () => undefined];
  const qemuImg = createQemuImg('qemu-img');
  await register('base', rig.pool);
  const facts = () => ({ hypervisor: { driver: 'qemu' } }) as never;
  const define = async (id: string) => {
    said.push('define');
    if (answers.define === yes) domain = { id, name: 'web', state: 'shutoff' } as AgentInstance;
    return answers.define;
  };
  const idOf = (name: string) => (name === 'taken' ? 'x' : undefined);
  launch = createLaunch({ ...rig, qemuImg, consoleLogDir: join(rig.folder, 'c'), hypervisor: { facts, define, idOf } });
});
afterEach(() => rig.stop());

async function register(name: string, folder: string): Promise<void> {
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '--', join(folder, `${name}.qcow2`), '1M']);
  const procedure = createRegisterImage({ ...rig, qemuImg: createQemuImg('qemu-img'), now: () => 1 });
  await rig.run(procedure, { name, pool: 'default', file: `${name}.qcow2`, format: 'qcow2' });
}

const args = { name: 'web', base: 'base', vcpus: 1, memoryBytes: 2 ** 28 };
const hypervisor = {
  observe: async () => domain,
  async run(words: readonly string[]) {
    said.push(words[0]!);
    if (words[0] === 'undefine') domain = null;
    if (words[0] !== 'start') return yes;
    beforeStart();
    if (answers.start === yes) domain = { ...domain!, state: 'running' };
    return answers.start;
  },
};
const go = (change = {}) => rig.run(launch, { ...args, ...change }, hypervisor);
const nothingIsLeft = () => expect([readdirSync(rig.pool), domain]).toEqual([['base.qcow2'], null]);

test('the disk is a clone of its base, and what was asked for is defined and started', async () => {
  expect(await go({ diskBytes: 2 ** 21, autostart: true })).toMatchObject({ state: 'done', afterState: 'running' });
  expect(said).toEqual(['define', 'start', 'autostart']);
  const disk = join(rig.pool, `${VM}.qcow2`);
  const info = JSON.parse(await run('qemu-img', ['info', '--output=json', '-f', 'qcow2', '--', disk]));
  expect(info).toMatchObject({
    ...{
      'virtual-size': 2 ** 21,
      'backing-filename': join(rig.pool, 'base.qcow2'),
      'backing-filename-format': 'qcow2',
    },
  });
});

test.each([
  ['define', 'operation failed: domain ‘web’ already exists with uuid x', 'name-taken'],
  ['start', 'Cannot allocate memory', 'libvirt-failed'],
  ['start', 'Cannot get interface MTU on br9: No such device', 'libvirt-failed'],
] as const)('when libvirt refuses to %s, nothing is left', async (step, stderr, code) => {
  answers[step] = no(stderr);
  expect(await go()).toMatchObject({ state: 'failed', error: { code } });
  nothingIsLeft();
});

test('what refuses a launch refuses it before anything is made', async () => {
  expect(await go({ base: 'none' })).toMatchObject({ error: { code: 'not-found' } });
  expect(await go({ name: 'taken' })).toMatchObject({ error: { code: 'name-taken' } });
  expect(await go({ memoryBytes: 2 ** 33 })).toMatchObject({ error: { code: 'no-room' } });
  expect(await go({ diskBytes: 2 ** 49 })).toMatchObject({ error: { code: 'no-room' } });
  expect(await go({ network: 'lan' })).toMatchObject({ error: { code: 'not-found' } });
  for (const name of ['1', '-rf', 'a b', '<x/>', '../x', ''])
    expect((await go({ name })).error?.code).toBe('bad-request');
  for (const change of [{ vcpus: 0 }, { memoryBytes: 2 ** 28 + 1 }, { base: '../base' }, { emulator: '/bin/sh' }])
    expect((await go(change)).error?.code).toBe('bad-request');
  writeFileSync(join(rig.pool, 'base.qcow2'), 'x', { flag: 'a' });
  expect(await go()).toMatchObject({ error: { code: 'bad-request', message: expect.stringContaining('changed') } });
  expect(said).toEqual([]);
  nothingIsLeft();
});

test('a file that lies in the place of the disk is left as it is', async () => {
  const disk = join(rig.pool, `${VM}.qcow2`);
  writeFileSync(disk, 'somebody’s');
  expect(await go()).toMatchObject({ state: 'failed', error: { code: 'in-use' } });
  expect([readFileSync(disk, 'utf8'), domain]).toEqual(['somebody’s', null]);
});

test('a disk that was taken for another file meanwhile is not removed', async () => {
  const disk = join(rig.pool, `${VM}.qcow2`);
  answers.start = no('Cannot access storage file');
  beforeStart = () => {
    writeFileSync(`${disk}.other`, 'somebody’s');
    renameSync(`${disk}.other`, disk);
  };
  expect(await go()).toMatchObject({ state: 'failed' });
  expect(readFileSync(disk, 'utf8')).toBe('somebody’s');
});

test('two at once are not given the same memory', async () => {
  rig.host.memoryAvailableBytes = 2 ** 28 + 2 ** 27;
  const other = { ...hypervisor, observe: async () => null };
  const outcomes = await Promise.all([go(), rig.run(launch, args, other, 'aaaaaaaa-0000-4000-8000-00000000000b')]);
  expect(outcomes.filter(({ error }) => error?.code === 'no-room')).toHaveLength(1);
  expect(said.filter((word) => word === 'define')).toHaveLength(1);
});

test.skipIf(process.getuid?.() !== 0)(
  'a pool that is full, or becomes full in the middle, leaves nothing',
  async () => {
    const disk = mountSmallDisk(rig.pool, 80)!;
    try {
      await register('small', rig.pool);
      disk.fill();
      expect(await go({ base: 'small' })).toMatchObject({ error: { code: 'no-room' } });
      disk.free();
      const { pools } = rig.resources;
      const { freeBytes } = pools;
      pools.freeBytes = async (name) => {
        const space = await freeBytes(name);
        disk.fill();
        return space;
      };
      expect(await go({ base: 'small' })).toMatchObject({ state: 'failed', error: { code: 'no-room' } });
      disk.free();
      expect([readdirSync(rig.pool), domain, existsSync(join(rig.pool, `${VM}.qcow2`))]).toEqual([
        ['small.qcow2'],
        null,
        false,
      ]);
    } finally {
      disk.unmount();
    }
  },
);
