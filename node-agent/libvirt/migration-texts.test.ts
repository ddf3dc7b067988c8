import { expect, test } from 'vitest';
import { parseJobInfo } from './job-info.ts';
import { parseCpuModels, parseHostCpu, parseNeeds } from './migration-needs.ts';

const RUNNING = `Job type: 2

operation: 5
time_elapsed: 1947
downtime: 300
setup_time: 1
data_total: 101457920
data_processed: 16807464
data_remaining: 82161664
memory_total: 101457920
memory_bps: 10506420
memory_dirty_rate: 25
memory_iteration: 3
memory_page_size: 4096
`;

test('reads how far a migration is', () => {
  expect(parseJobInfo(RUNNING)).toEqual({
    running: true,
    ended: false,
    job: {
      ...{ elapsedMs: 1947, totalBytes: 101457920, processedBytes: 16807464, remainingBytes: 82161664 },
      ...{ rateBps: 10506420, dirtyRateBps: 102400, rounds: 3, downtimeMs: 300 },
    },
  });
  expect(parseJobInfo(RUNNING.replace('type: 2', 'type: 3'))).toMatchObject({ running: false, ended: true });
});

test.each(['', 'Job type: 0\n\n', 'error: failed to get domain', 'Job type: x'])('no job in %j', (text) => {
  expect(parseJobInfo(text)).toBeNull();
});

const XML = `<domain type='kvm' id='2'><name>web &lt;1&gt;</name><uuid>520c5cf7-5fa1-4d18-8b1e-2d4be70ef9ae</uuid>
<memory unit='KiB'>98304</memory><vcpu>2</vcpu>
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><kernel>/boot/vmlinuz</kernel><loader>/usr/share/OVMF.fd</loader></os>
<cpu mode='custom'><model fallback='forbid'>qemu64</model></cpu>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><source file='/srv/a.qcow2'/><backingStore type='file'><source file='/srv/base.qcow2'/></backingStore></disk>
<disk type='block' device='disk'><source dev='/dev/vg/b'/></disk>
<disk type='file' device='cdrom'><target dev='sda'/></disk>
<disk type='network' device='disk'><source protocol='rbd' name='p/c'/></disk>
<interface type='network'><source network='default' bridge='virbr0'/></interface>
<interface type='bridge'><source bridge='br0'/></interface>
<hostdev mode='subsystem'><source/></hostdev><filesystem type='mount'/></devices></domain>`;

test('reads what an instance needs', () => {
  expect(parseNeeds(XML)).toEqual({
    ...{ name: 'web <1>', domainType: 'kvm', arch: 'x86_64', machine: 'pc-q35-7.2' },
    emulator: '/usr/bin/qemu-system-x86_64',
    cpu: { mode: 'custom', model: 'qemu64' },
    ...{ memoryBytes: 98304 * 1024, vcpus: 2, remoteDisks: 1 },
    files: [
      { path: '/boot/vmlinuz', kind: 'boot', block: false, writable: false },
      { path: '/usr/share/OVMF.fd', kind: 'boot', block: false, writable: false },
      { path: '/srv/a.qcow2', kind: 'disk', block: false, writable: true },
      { path: '/dev/vg/b', kind: 'disk', block: true, writable: true },
    ],
    networks: [
      { kind: 'network', name: 'default' },
      { kind: 'bridge', name: 'br0' },
    ],
    ties: ['a passed-through device of the host', 'a folder of the host'],
  });
  expect(() => parseNeeds('<domain><name>')).toThrow();
});

test('reads the CPU of a host and the models that it can give', () => {
  const capabilities = `<capabilities><host><uuid>x</uuid><cpu><arch>x86_64</arch><model>EPYC</model><vendor>AMD</vendor>
    <feature name='sse'/><feature name='avx'/></cpu></host><guest><arch name='i686'/></guest></capabilities>`;
  expect(parseHostCpu(capabilities)).toEqual({
    arch: 'x86_64',
    vendor: 'AMD',
    model: 'EPYC',
    features: ['sse', 'avx'],
  });
  const domain = `<domainCapabilities><cpu><mode name='host-model'><model>EPYC</model></mode><mode name='custom'>
    <model usable='yes'>qemu64</model><model usable='no'>Icelake</model><model usable='unknown'>EPYC</model></mode></cpu></domainCapabilities>`;
  expect(parseCpuModels(domain)).toEqual(['qemu64', 'EPYC']);
  expect([parseHostCpu('<x'), parseCpuModels('<x')]).toEqual([null, null]);
});
