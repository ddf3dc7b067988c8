import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebvirtError } from '../../../common/errors.ts';
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
const back = { ...hypervisor, listed: () => true, facts: () => ({ libvirtAnswers: true }), on: () => () => undefined };
/** What an earlier life of the agent had begun is ended by this one. */
const recovered = (pid: number | null) => rig.run(launch, args, back, VM, { startedMs: 1, pid, pidStart: null });
const go = (change = {}) => rig.run(launch, { ...args, ...change }, hypervisor);
async function refuseTo(word: string, words: readonly string[]): Promise<VirshOutcome> {
  if (words[0] === word) throw new WebvirtError('ambiguous');
  return hypervisor.run(words);
}
/** The base is on the list again, as a file of the pool that is not mounted. */
const putElsewhere = () =>
  rig.resources.images.put({
    ...{ name: 'base', pool: 'missing', path: '/missing/base', format: 'qcow2', virtualBytes: 1, fileBytes: 1 },
    ...{ registeredMs: 1, identity: { ino: 1, sizeBytes: 1, modifiedMs: 1 } },
  });
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

test('a guest that runs is a launch that is done, also when it cannot be marked for autostart', async () => {
  const fails = { ...hypervisor, run: (words: readonly string[]) => refuseTo('autostart', words) };
  expect(await rig.run(launch, { ...args, autostart: true }, fails)).toMatchObject({ state: 'done' });
});

test('a start that must not be sent leaves nothing', async () => {
  const fails = { ...hypervisor, run: (words: readonly string[]) => refuseTo('start', words) };
  expect(await rig.run(launch, args, fails)).toMatchObject({ state: 'failed', error: { code: 'ambiguous' } });
  nothingIsLeft();
});

describe('after a restart of the agent', () => {
  const disk = () => join(rig.pool, `${VM}.qcow2`);
  const make = async () => {
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '--', disk(), '1M']);
    domain = { id: VM, name: 'web', state: 'shutoff', stateReason: 'shutdown' } as AgentInstance;
  };
  const write = () => run('qemu-io', ['-f', 'qcow2', '-c', 'write 0 4k', '--', disk()]);

  test('a guest that somebody else started keeps its disk, though no start of ours was journalled', async () => {
    await make();
    await write();
    expect(await recovered(null)).toMatchObject({ state: 'done', afterState: 'shutoff' });
    expect([existsSync(disk()), said]).toEqual([true, []]);
  });

  test('one that was saved has run', async () => {
    await make();
    domain = { ...domain!, state: 'saved' };
    expect(await recovered(1)).toMatchObject({ state: 'done', afterState: 'saved' });
    expect([existsSync(disk()), said]).toEqual([true, []]);
  });

  test('a disk is found in whichever pool it lies', async () => {
    await make();
    await write();
    await rig.resources.images.remove('base');
    await putElsewhere();
    expect(await recovered(1)).toMatchObject({ state: 'done' });
    expect(said).toEqual([]);
  });

  test('nothing is removed while the pool of the disk is not there', async () => {
    await rig.resources.images.remove('base');
    await putElsewhere();
    domain = { id: VM, name: 'web', state: 'shutoff', stateReason: 'shutdown' } as AgentInstance;
    expect(await recovered(1)).toMatchObject({ state: 'unknown' });
    expect(said).toEqual([]);
  });

  test('what was only made is removed', async () => {
    await make();
    expect(await recovered(1)).toMatchObject({ state: 'failed', error: { code: 'op-cancelled' } });
    nothingIsLeft();
  });
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
