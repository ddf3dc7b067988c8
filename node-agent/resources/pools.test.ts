import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { namedPaths } from '../../common/pure/config/named-paths.ts';
import { procedureRig } from '../../test/support/procedure-rig.ts';
import { availableMemoryBytes } from './memory.ts';
import { isShared, parseMounts } from './mounts.ts';
import { findNetwork, readNetworks } from './networks.ts';

const MOUNTS = `/dev/vda / ext4 rw 0 0
nas:/a /srv/images nfs4 rw 0 0
/dev/vdb /srv/images/local xfs rw 0 0
bindfs /srv/with\\040blank fuse.glusterfs rw 0 0
tmpfs /srv/images2 tmpfs rw 0 0
`;

test('a folder is shared when its own file system is, not one above or beside it', () => {
  const mounts = parseMounts(MOUNTS);
  const shared = ['/srv/images', '/srv/images/x', '/srv/images/local/x', '/srv/with blank', '/srv/images2', '/srv'];
  expect(shared.map((path) => isShared(path, mounts))).toEqual([true, true, false, true, false, false]);
});

test('pools are written as a map or as one text', () => {
  const schema = namedPaths();
  const both = { default: '/var/lib/libvirt/images', shared: '/srv/images' };
  expect(schema.parse('default=/var/lib/libvirt/images, shared=/srv/images/')).toEqual(both);
  expect(schema.parse(both)).toEqual(both);
  for (const wrong of ['x', 'x=relative', 'X=/a', 'x=/a/../b', 'x=/a,x=/b', '__proto__=/a', '=/a', 'x=/a\0b'])
    expect([wrong, schema.safeParse(wrong).success]).toEqual([wrong, false]);
});

test('a pool says how much is free, or why it cannot be used', async () => {
  const rig = procedureRig();
  const [first, second] = await rig.resources.pools.read();
  expect(first).toMatchObject({ name: 'default', path: rig.pool, shared: false });
  expect(first?.freeBytes).toBeGreaterThan(0);
  expect(second).toMatchObject({ name: 'missing', freeBytes: 0, fault: expect.stringContaining('not there') });
  for (const name of ['missing', 'other', '__proto__', 'toString'])
    await expect(rig.resources.pools.folder(name)).rejects.toMatchObject({ code: 'not-found' });
  rig.stop();
});

test('memory that running guests were promised and have not taken yet is not free', async () => {
  const rig = procedureRig();
  const gib = 2 ** 30;
  writeFileSync(join(rig.folder, 'meminfo'), `MemTotal: 9 kB\nMemAvailable: ${(4 * gib) / 1024} kB\n`);
  const guest = (id: string, state: 'running' | 'shutoff') => ({ id, state, memoryBytes: gib });
  const guests = [guest('a', 'running'), guest('b', 'running'), guest('c', 'shutoff')];
  const bytes = await availableMemoryBytes(rig.folder, guests, new Map([['a', gib / 2]]));
  expect(bytes).toBe(4 * gib - gib / 2 - gib - 256 * 2 ** 20);
  expect(await availableMemoryBytes(join(rig.folder, 'none'), guests, new Map())).toBe(0);
  rig.stop();
});

test('a network of libvirt comes before a bridge of its name; without the driver there are bridges only', async () => {
  const said: Record<string, string> = { 'net-list --all --name': 'default\nlab\n\n', 'net-list --name': 'lab\n\n' };
  const networks = await readNetworks(async (words) => said[words.join(' ')] ?? null, '/nowhere');
  expect(networks).toEqual([
    { name: 'default', kind: 'network', active: false },
    { name: 'lab', kind: 'network', active: true },
  ]);
  expect(findNetwork([...networks, { name: 'lab', kind: 'bridge', active: true }], 'lab')?.kind).toBe('network');
  expect(await readNetworks(async () => null, '/nowhere')).toEqual([]);
});
