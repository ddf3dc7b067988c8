import { SaxesParser } from 'saxes';
import type { AgentInstance } from '../../common/model/instance.ts';

/** What a domain's XML tells that no cheaper call does. */
export type DomainDetails = Pick<AgentInstance, 'vcpus' | 'memoryBytes' | 'disks' | 'nics'> & {
  uuid: string;
  name: string;
  title: string | undefined;
};
type Disk = NonNullable<AgentInstance['disks']>[number];
type Nic = NonNullable<AgentInstance['nics']>[number];

/** Units of libvirt's scaledInteger; without a unit it is KiB. */
const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  KB: 1e3,
  k: 1024,
  KiB: 1024,
  MB: 1e6,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  GB: 1e9,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
  TB: 1e12,
  T: 1024 ** 4,
  TiB: 1024 ** 4,
};
const SOURCE_KEYS = ['file', 'dev', 'name', 'volume', 'dir', 'path'];
const NIC_SOURCE_KEYS = ['network', 'bridge', 'dev', 'path', 'address'];
const MAX_TEXT = 1_024;

/**
 * Reads `dumpxml`. Everything is cut to a sane length: the text may have been written by anyone.
 * @throws {Error} for what is not well-formed.
 */
export function parseDomainXml(xml: string): DomainDetails {
  const details: DomainDetails = {
    uuid: '',
    name: '',
    title: undefined,
    vcpus: 0,
    memoryBytes: 0,
    disks: [],
    nics: [],
  };
  const path: string[] = [];
  let text = '';
  let attributes: Record<string, string> = {};
  let disk: Disk | null = null;
  let nic: Nic | null = null;
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    path.push(tag.name);
    text = '';
    attributes = tag.attributes as Record<string, string>;
    const at = path.join('/');
    const first = (keys: string[]) => keys.map((key) => attributes[key]).find((value) => value !== undefined);
    if (at === 'domain/devices/disk') disk = { target: '', device: attributes['device'] ?? 'disk' };
    else if (at === 'domain/devices/interface') nic = { type: attributes['type'] ?? 'unknown' };
    else if (disk !== null && at === 'domain/devices/disk/target') disk.target = attributes['dev'] ?? '';
    else if (disk !== null && at === 'domain/devices/disk/source') set(disk, 'source', first(SOURCE_KEYS));
    else if (disk !== null && at === 'domain/devices/disk/driver') set(disk, 'format', attributes['type']);
    else if (nic !== null && at === 'domain/devices/interface/mac') set(nic, 'mac', attributes['address']);
    else if (nic !== null && at === 'domain/devices/interface/source') set(nic, 'source', first(NIC_SOURCE_KEYS));
    else if (nic !== null && at === 'domain/devices/interface/model') set(nic, 'model', attributes['type']);
    else if (at === 'domain/vcpu') details.vcpus = Number.parseInt(attributes['current'] ?? '0', 10) || 0;
    else if (at === 'domain/memory') details.memoryBytes = UNITS[attributes['unit'] ?? 'KiB'] ?? 1024;
  });
  parser.on('text', (chunk) => {
    text += chunk;
  });
  parser.on('closetag', () => {
    const at = path.join('/');
    if (at === 'domain/name') details.name = text;
    else if (at === 'domain/uuid') details.uuid = text.trim();
    else if (at === 'domain/title') details.title = text.slice(0, MAX_TEXT);
    else if (at === 'domain/vcpu') details.vcpus ||= Number.parseInt(text, 10) || 0;
    else if (at === 'domain/memory') details.memoryBytes *= Number.parseInt(text, 10) || 0;
    else if (at === 'domain/devices/disk' && disk !== null) details.disks?.push(disk);
    else if (at === 'domain/devices/interface' && nic !== null) details.nics?.push(nic);
    path.pop();
    text = '';
  });
  parser.write(xml).close();
  return details;
}

function set<K extends string>(target: Partial<Record<K, string>>, key: K, value: string | undefined): void {
  if (value !== undefined) target[key] = value.slice(0, MAX_TEXT);
}
