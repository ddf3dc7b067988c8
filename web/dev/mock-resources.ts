// Invented pools, base images and networks of the pretended hosts.
import type { Host } from '../../common/model/host.ts';
import type { BaseImage, HostResources, Pool } from '../../common/model/resources.ts';

export type MockImage = BaseImage & { host: string; hostName: string; stale: boolean; usedBy: number };
export type MockResources = HostResources & { host: string; hostName: string; stale: boolean };

const GIB = 1024 ** 3;

function image(host: Host, index: number, name: string, more: Partial<MockImage>): MockImage {
  return {
    ...{ name, pool: 'images', path: `/var/lib/webvirt/images/${name}.qcow2`, format: 'qcow2' },
    ...{ virtualBytes: 10 * GIB, fileBytes: 0.62 * GIB, registeredMs: Date.now() - (index + 3) * 86_400_000 },
    ...{ host: host.id, hostName: host.name, stale: host.state !== 'online', usedBy: index % 4 },
    ...more,
  };
}

export function createImages(hosts: readonly Host[]): MockImage[] {
  return hosts.flatMap((host, index) => [
    image(host, index, 'debian-12', index === 5 ? { fault: 'The file has changed since it was registered.' } : {}),
    ...(index % 2 === 0
      ? [
          image(host, index, 'heartbeat', {
            ...{ format: 'raw', virtualBytes: 64 * 1024 ** 2, fileBytes: 12 * 1024 ** 2 },
            kernel: '/boot/k',
          }),
        ]
      : []),
    ...(index === 1 ? [image(host, index, 'sage-10', { virtualBytes: 24 * GIB, fileBytes: 9.1 * GIB })] : []),
  ]);
}

export function createResources(host: Host, index: number, images: readonly MockImage[]): MockResources {
  const free = host.memoryBytes - (host.load?.memoryUsedBytes ?? 0) - 2 * GIB;
  const pools: Pool[] = [
    {
      ...{ name: 'images', path: '/var/lib/webvirt/images', shared: false },
      totalBytes: 900 * GIB,
      freeBytes: (640 - index * 80) * GIB,
    },
    { ...{ name: 'nfs', path: '/srv/nfs/instances', shared: true }, totalBytes: 8_000 * GIB, freeBytes: 1_210 * GIB },
    ...(index === 2
      ? [
          {
            ...{ name: 'scratch', path: '/mnt/scratch', shared: false, totalBytes: 0, freeBytes: 0 },
            fault: 'The folder does not exist.',
          },
        ]
      : []),
  ];
  return {
    ...{ host: host.id, hostName: host.name, stale: host.state !== 'online', pools },
    images: images.filter((one) => one.host === host.id),
    networks: [
      { name: 'default', kind: 'network', active: true },
      { name: 'br0', kind: 'bridge', active: true },
      ...(index === 1 ? [{ name: 'storage', kind: 'network' as const, active: true }] : []),
      { name: 'isolated', kind: 'network', active: false },
    ],
    domainType: index === 3 ? null : 'kvm',
    cpuModel: index === 4 ? 'EPYC-Rome' : 'Skylake-Server-IBRS',
    arch: 'x86_64',
    memoryAvailableBytes: Math.max(0, free),
  };
}
