import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostResources } from '../../common/model/resources.ts';

export type HostNetwork = HostResources['networks'][number];

/** What instances can be connected to: libvirt's networks, and the bridges of the host. */
export async function readNetworks(
  netList: (words: readonly string[]) => Promise<string | null>,
  sysDir = '/sys/class/net',
): Promise<HostNetwork[]> {
  // A host without the network driver of libvirt has no networks; its bridges are there all the same.
  const all = names(await netList(['net-list', '--all', '--name']));
  const active = all.length === 0 ? [] : names(await netList(['net-list', '--name']));
  const networks = all.map((name): HostNetwork => ({ name, kind: 'network', active: active.includes(name) }));
  return [...networks, ...(await readBridges(sysDir))].slice(0, 4_096);
}

/** One that was asked for by name; a network of libvirt comes before a bridge of the same name. */
export function findNetwork(networks: readonly HostNetwork[], name: string): HostNetwork | undefined {
  return networks.find((network) => network.name === name);
}

async function readBridges(sysDir: string): Promise<HostNetwork[]> {
  const found: HostNetwork[] = [];
  for (const name of (await readdir(sysDir).catch(() => [])).sort()) {
    if ((await readdir(join(sysDir, name, 'bridge')).catch(() => null)) === null) continue;
    const flags = Number.parseInt(await readFile(join(sysDir, name, 'flags'), 'latin1').catch(() => '0'), 16);
    found.push({ name, kind: 'bridge', active: (flags & 1) === 1 });
  }
  return found;
}

function names(text: string | null): string[] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line.length <= 255);
}
