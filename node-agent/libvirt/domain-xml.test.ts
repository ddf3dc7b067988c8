import { expect, test } from 'vitest';
import { parseDomainXml } from './domain-xml.ts';

test('reads what people ask about', () => {
  const xml = `<domain type='qemu' id='1'><name>web &amp; co</name><uuid>aaaaaaaa-0000-4000-8000-000000000001</uuid>
<metadata><x:name xmlns:x='u'>no</x:name></metadata><title>a title</title><memory unit='MiB'>64</memory>
<currentMemory>1</currentMemory><vcpu placement='static' current='2'>4</vcpu><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/d/a.qcow2'/><backingStore type='file'>
<source file='/base.img'/></backingStore><target dev='vda' bus='virtio'/></disk>
<disk type='file' device='cdrom'><target dev='sda'/></disk>
<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/></interface>
</devices></domain>`;
  expect(parseDomainXml(xml)).toEqual({
    uuid: 'aaaaaaaa-0000-4000-8000-000000000001',
    name: 'web & co',
    title: 'a title',
    vcpus: 2,
    memoryBytes: 64 * 1024 * 1024,
    disks: [
      { target: 'vda', device: 'disk', format: 'qcow2', source: '/d/a.qcow2' },
      { target: 'sda', device: 'cdrom' },
    ],
    nics: [{ type: 'bridge', mac: '52:54:00:00:00:01', source: 'br0', model: 'virtio' }],
  });
});

test('memory without a unit is KiB; vcpu without current is whole', () => {
  const details = parseDomainXml('<domain><memory>2048</memory><vcpu>3</vcpu></domain>');
  expect([details.memoryBytes, details.vcpus]).toEqual([2 * 1024 * 1024, 3]);
});

test('what is not XML is an error', () => {
  expect(() => parseDomainXml('error: no domain')).toThrow();
  expect(() => parseDomainXml('<domain>')).toThrow();
});
