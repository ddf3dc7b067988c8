import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ComputeClient, connectCompute, textOf } from '../support/compute-server.ts';
import { cgroupMounts, cgroupsOf, cgroupWishes } from './cgroups.ts';
import { computeMissing, computeSocket, startCompute } from './compute.ts';
import { createLab } from './lab.ts';
import { labNames } from './names.ts';
import { NOTHING, traces } from './traces.ts';

const NAME = `wvp-${process.pid}`;

test('control groups are found as Debian mounts them, combined or not, or as version 2', () => {
  const v1 = [
    '30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct',
    '31 23 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory',
    '32 23 0:28 / /sys/fs/cgroup/freezer rw shared:9 - cgroup cgroup rw,freezer',
    '33 23 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
    '34 23 0:30 / /nowhere rw - cgroup2 cgroup2 rw,nsdelegate',
  ].join('\n');
  expect(cgroupWishes(cgroupMounts(v1))).toEqual(['cpu,cpuacct', 'memory', 'pids']);
  expect(cgroupWishes(cgroupMounts(''))).toEqual([]);
});

describe.skipIf(process.getuid?.() !== 0 || computeMissing() !== null)('computations in the lab', () => {
  const lab = createLab({ name: NAME, hosts: 2 });
  const clients: ComputeClient[] = [];
  beforeAll(() => lab.up());
  afterAll(async () => {
    for (const client of clients) await client.close();
    await lab.down();
  });

  test('each host has a compute server that contains, with control groups that libvirt beside it does not see', async () => {
    const settings = { kernels: ['python'] };
    const servers = await Promise.all(lab.hosts.map((host) => startCompute(NAME, host, settings)));
    for (const host of lab.hosts) {
      const client = await connectCompute(computeSocket(host));
      clients.push(client);
      expect(await client.ready()).toMatchObject({ state: 'ready', reason: null });
      await client.open('session-1');
      expect(textOf(await client.run('session-1', 1, 'print(6 * 7)'))).toBe('42\n');
      expect((await host.exec(['grep', '-c', 'cgroup', '/proc/mounts'])).stdout.trim()).toBe('0');
    }
    const groups = cgroupsOf(labNames(NAME));
    expect(new Set(groups.map((path) => path.split('/').at(-1)))).toEqual(
      new Set(lab.hosts.map((host) => `webvirt-lab-${NAME}-${host.name}`)),
    );
    const ended = once(servers[0]!, 'exit');
    servers[0]!.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('down ends a session that nobody else ends, and removes its control groups', async () => {
    const client = clients[1]!;
    client.send({ op: 'execute', session: 'session-1', cell: 2, code: 'print("on", flush=True)\nwhile True: pass' });
    await client.next((m) => m.event?.type === 'stdout' && m.event.cell === 2);
    const memory = cgroupsOf(labNames(NAME)).find((path) => path.includes('memory')) ?? cgroupsOf(labNames(NAME))[0]!;
    expect(readFileSync(join(memory, 'cgroup.procs'), 'utf8')).toBe('');
    await lab.down();
    expect(traces(NAME)).toEqual(NOTHING);
  });
});
