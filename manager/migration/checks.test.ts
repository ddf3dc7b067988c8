import { expect, test } from 'vitest';
import type { FileFacts, NeededFile, SourceFacts, TargetFacts } from '../../common/wire/migration.ts';
import { type CheckInput, checksOf } from './checks.ts';

const ID = 'aaaaaaaa-0000-4000-8000-000000000001';
const DISK = '/srv/disk.qcow2';
const GIB = 1024 ** 3;

const file = (change: Partial<FileFacts> = {}): FileFacts => ({
  ...{
    path: DISK,
    there: true,
    readable: true,
    inode: 7,
    sizeBytes: 100,
    fileSystem: 'nfs4',
    shared: true,
    head: 'aa',
  },
  ...change,
});
const needed = (change: Partial<NeededFile> = {}): NeededFile => ({
  ...{ path: DISK, kind: 'disk', block: false, writable: true },
  ...change,
});
const nowhere = { state: null, reason: null, persistent: false, autostart: false, busy: false, completed: null };
const cpu = { arch: 'x86_64', vendor: 'AMD', model: 'EPYC', features: ['sse', 'avx'] };

function source(change: Partial<SourceFacts> = {}, needs: Partial<SourceFacts['needs']> = {}): SourceFacts {
  return {
    look: { ...nowhere, state: 'running', persistent: true },
    needs: {
      ...{
        name: 'web1',
        domainType: 'kvm',
        arch: 'x86_64',
        machine: 'pc-q35-7.2',
        emulator: '/usr/bin/qemu',
        remoteDisks: 0,
      },
      ...{ cpu: { mode: 'custom', model: 'EPYC' }, memoryBytes: GIB, vcpus: 2, ties: [], files: [needed()] },
      networks: [{ kind: 'bridge', name: 'br0' }],
      ...needs,
    },
    files: [file()],
    ...{ cpu, hostUuid: 'u1' },
    ...change,
  };
}

function target(change: Partial<TargetFacts> = {}): TargetFacts {
  return {
    ...{ peerUri: '', look: nowhere, nameTakenBy: null, memoryAvailableBytes: 4 * GIB, cpus: 4, emulatorThere: true },
    ...{ runs: { ok: true, text: '' }, cpuModels: ['qemu64', 'EPYC'], cpu, hostUuid: 'u2', files: [file()] },
    networks: [{ kind: 'bridge', name: 'br0', there: true, active: true }],
    ...change,
  };
}

function input(change: Partial<CheckInput> = {}): CheckInput {
  const host = { state: 'online' as const, libvirtAnswers: true, clockOffsetMs: 0 };
  return {
    instance: { id: ID, name: 'web1', state: 'running', busyJob: null, persistent: true },
    source: { id: 'a', name: 'h1', ...host },
    target: { id: 'b', name: 'h2', ...host },
    ...{ live: true, tunnelled: false, copyStorage: false, uri: 'qemu+tls://h2/system' },
    ...{ sourceFacts: source(), targetFacts: target(), peer: { reached: true, hostUuid: 'u2', text: '' } },
    ...change,
  };
}

/** The checks that are not well, as `word verdict`. */
function faults(change: Partial<CheckInput> = {}): string[] {
  return checksOf(input(change))
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ check, verdict }) => `${check} ${verdict}`);
}

test('all is well', () => {
  expect(faults()).toEqual([]);
});

const at = input();
const off = source({ look: { ...nowhere, state: 'shutoff', persistent: true } });

test.each<[what: string, change: Partial<CheckInput>, expected: string[]]>([
  ['the same host', { target: at.source }, ['target fail']],
  ['a target that is not online', { target: { ...at.target, state: 'stale' } }, ['target-online fail']],
  ['a libvirt that does not answer', { target: { ...at.target, libvirtAnswers: false } }, ['target-online fail']],
  ['clocks apart', { target: { ...at.target, clockOffsetMs: 5_000 } }, ['clock warn']],
  ['held by a job', { instance: { ...at.instance, busyJob: 'job-00001' } }, ['state fail']],
  ['off, live', { sourceFacts: off }, ['state fail']],
  ['off, cold', { sourceFacts: off, live: false }, []],
  ['running, cold', { live: false }, ['state fail']],
  ['busy in libvirt', { sourceFacts: source({ look: { ...source().look, busy: true } }) }, ['state fail']],
  ['transient', { sourceFacts: source({ look: { ...source().look, persistent: false } }) }, ['state fail']],
  ['UUID there', { targetFacts: target({ look: { ...nowhere, state: 'shutoff' } }) }, ['uuid fail']],
  ['name taken', { targetFacts: target({ nameTakenBy: ID }) }, ['name fail']],
  ['no such machine', { targetFacts: target({ runs: { ok: false, text: 'no' } }) }, ['hypervisor fail']],
  ['no emulator', { targetFacts: target({ emulatorThere: false }) }, ['hypervisor fail']],
  ['no such CPU model', { targetFacts: target({ cpuModels: ['qemu64'] }) }, ['cpu fail']],
  ['no memory, live', { targetFacts: target({ memoryAvailableBytes: GIB / 2 }) }, ['memory fail']],
  [
    'no memory, cold',
    { sourceFacts: off, live: false, targetFacts: target({ memoryAvailableBytes: 1 }) },
    ['memory warn'],
  ],
  ['few CPUs', { targetFacts: target({ cpus: 1 }) }, ['memory warn']],
  [
    'no bridge',
    { targetFacts: target({ networks: [{ kind: 'bridge', name: 'br0', there: false, active: false }] }) },
    ['network fail'],
  ],
  [
    'a network that is off',
    { targetFacts: target({ networks: [{ kind: 'network', name: 'n', there: true, active: false }] }) },
    ['network fail'],
  ],
  ['no disk there', { targetFacts: target({ files: [file({ there: false })] }) }, ['disk fail']],
  ['another file', { targetFacts: target({ files: [file({ inode: 8, head: 'bb' })] }) }, ['disk fail']],
  [
    'an equal copy on local disks',
    {
      sourceFacts: source({ files: [file({ shared: false })] }),
      targetFacts: target({ files: [file({ inode: 8, shared: false })] }),
    },
    ['disk fail'],
  ],
  ['an equal file, shared', { targetFacts: target({ files: [file({ inode: 8 })] }) }, ['disk warn']],
  [
    'not a shared file system',
    { sourceFacts: source({ files: [file({ shared: false, fileSystem: 'ext4' })] }) },
    ['disk fail'],
  ],
  ['not readable', { targetFacts: target({ files: [file({ readable: false })] }) }, ['disk fail']],
  ['copied onto a file', { copyStorage: true }, ['disk fail']],
  ['copied to nothing', { copyStorage: true, targetFacts: target({ files: [file({ there: false })] }) }, []],
  ...(['/srv', '/srv/'] as const).map((pool): [string, Partial<CheckInput>, string[]] => [
    `copied into the pool ${pool}`,
    { copyStorage: true, targetFacts: target({ files: [file({ there: false })], poolFolders: ['/var', pool] }) },
    [],
  ]),
  [
    'copied to where libvirt has no pool',
    { copyStorage: true, targetFacts: target({ files: [file({ there: false })], poolFolders: ['/srv/other'] }) },
    ['disk fail'],
  ],
  [
    'a block device copied',
    {
      copyStorage: true,
      sourceFacts: source({}, { files: [needed({ block: true })] }),
      targetFacts: target({ files: [file({ there: false })], poolFolders: ['/srv'] }),
    },
    ['disk fail'],
  ],
  [
    'copied through the tunnel',
    { copyStorage: true, tunnelled: true, targetFacts: target({ files: [file({ there: false })] }) },
    ['disk fail'],
  ],
  ['network storage', { sourceFacts: source({}, { remoteDisks: 1 }) }, ['disk warn']],
  ['a passed-through device', { sourceFacts: source({}, { ties: ['a device'] }) }, ['devices fail']],
  [
    'no kernel there',
    { sourceFacts: source({}, { files: [needed({ kind: 'boot' })] }), targetFacts: target({ files: [] }) },
    ['boot fail'],
  ],
  [
    'another kernel there',
    {
      sourceFacts: source({}, { files: [needed({ kind: 'boot' })] }),
      targetFacts: target({ files: [file({ head: 'bb' })] }),
    },
    ['boot warn'],
  ],
  ['not reached', { peer: { reached: false, hostUuid: null, text: 'refused' } }, ['link fail']],
  ['the URI leads elsewhere', { peer: { reached: true, hostUuid: 'u9', text: '' } }, ['link fail']],
  ['no URI', { uri: null }, ['link fail']],
  ['a source that gives no answer', { sourceFacts: new Error('gone') }, ['source fail']],
  ['a target that gives no answer', { targetFacts: new Error('gone') }, ['target fail']],
])('%s', (_what, change, expected) => {
  expect(faults(change)).toEqual(expected);
});

test.each([
  ['the same CPU', cpu, []],
  ['a richer one of the same model', { ...cpu, features: ['sse', 'avx', 'avx2'] }, []],
  ['one that lacks something', { ...cpu, features: ['sse'] }, ['cpu fail']],
  ['another model', { ...cpu, model: 'Opteron' }, ['cpu fail']],
  ['an unknown one', null, ['cpu warn']],
])('host-passthrough: %s', (_what, theirs, expected) => {
  const sourceFacts = source({}, { cpu: { mode: 'host-passthrough', model: null } });
  expect(faults({ sourceFacts, targetFacts: target({ cpu: theirs }) })).toEqual(expected);
});
