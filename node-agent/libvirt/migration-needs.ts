import { SaxesParser } from 'saxes';
import type { CpuFacts, NeededFile, Needs } from '../../common/wire/migration.ts';
import { parseDomainXml } from './domain-xml.ts';

type Attributes = Record<string, string>;

/** Calls back for each element with its path (`domain/devices/disk`), and for its text at its end. @throws for broken XML. */
function walk(
  xml: string,
  on: { open(path: string, attributes: Attributes): void; close(path: string, text: string): void },
) {
  const path: string[] = [];
  let text = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    path.push(tag.name);
    text = '';
    on.open(path.join('/'), tag.attributes as Attributes);
  });
  parser.on('text', (chunk) => {
    text += chunk;
  });
  parser.on('closetag', () => {
    on.close(path.join('/'), text);
    path.pop();
    text = '';
  });
  parser.write(xml).close();
}

const TIES: Readonly<Record<string, string>> = {
  'domain/devices/hostdev': 'a passed-through device of the host',
  'domain/devices/filesystem': 'a folder of the host',
  'domain/devices/shmem': 'memory shared with the host',
  'domain/devices/tpm': 'a TPM whose state lies on the host',
};
const BOOT_FILES = new Set(['domain/os/kernel', 'domain/os/initrd', 'domain/os/loader']);

/**
 * What a domain needs of the host it runs on, from its XML. Text is cut to a sane length: anybody may have written it.
 * @throws {Error} for what is not well-formed.
 */
export function parseNeeds(xml: string): Needs {
  const { name, memoryBytes, vcpus } = parseDomainXml(xml);
  const needs: Needs = {
    ...{ name: name.slice(0, 255), memoryBytes, vcpus, domainType: '', arch: '', machine: '', emulator: null },
    ...{ cpu: { mode: '', model: null }, files: [], remoteDisks: 0, networks: [], ties: [] },
  };
  let disk: { type: string; device: string; source: string | undefined; readonly: boolean } | null = null;
  let nicType = '';
  walk(xml, {
    open(path, attributes) {
      if (path === 'domain') needs.domainType = (attributes['type'] ?? '').slice(0, 32);
      else if (path === 'domain/os/type') {
        needs.arch = (attributes['arch'] ?? '').slice(0, 32);
        needs.machine = (attributes['machine'] ?? '').slice(0, 64);
      } else if (path === 'domain/cpu') needs.cpu.mode = (attributes['mode'] ?? '').slice(0, 32);
      else if (path === 'domain/devices/disk')
        disk = {
          type: attributes['type'] ?? '',
          device: attributes['device'] ?? 'disk',
          source: undefined,
          readonly: false,
        };
      else if (path === 'domain/devices/disk/source' && disk !== null)
        disk.source = attributes['file'] ?? attributes['dev'];
      else if (path === 'domain/devices/disk/readonly' && disk !== null) disk.readonly = true;
      else if (path === 'domain/devices/interface') nicType = attributes['type'] ?? '';
      else if (path === 'domain/devices/interface/source') addNetwork(needs, nicType, attributes);
      const tie = TIES[path];
      if (tie !== undefined && needs.ties.length < 64) needs.ties.push(tie);
    },
    close(path, text) {
      if (path === 'domain/devices/emulator') needs.emulator = text.slice(0, 1_024);
      else if (path === 'domain/cpu/model') needs.cpu.model = text.slice(0, 128);
      else if (BOOT_FILES.has(path) && text.startsWith('/')) addFile(needs, text, 'boot', false, false);
      else if (path === 'domain/devices/disk' && disk !== null) {
        const { type, device, source, readonly } = disk;
        const kind = device === 'cdrom' || device === 'floppy' ? 'cdrom' : 'disk';
        if (source !== undefined && (type === 'file' || type === 'block'))
          addFile(needs, source, kind, type === 'block', kind === 'disk' && !readonly);
        // An empty drive has no source and needs nothing.
        else if (type !== 'file' && type !== 'block') needs.remoteDisks += 1;
        disk = null;
      }
    },
  });
  return needs;
}

function addFile(needs: Needs, path: string, kind: NeededFile['kind'], block: boolean, writable: boolean): void {
  if (needs.files.length < 256) needs.files.push({ path: path.slice(0, 1_024), kind, block, writable });
}

function addNetwork(needs: Needs, type: string, attributes: Attributes): void {
  const found = attributes['network'] ?? attributes['bridge'] ?? attributes['dev'];
  // A running domain on a network names the bridge as well; the network is what counts.
  const kind = type === 'network' || type === 'bridge' ? type : 'other';
  const name = (type === 'bridge' ? attributes['bridge'] : found) ?? '';
  if (name === '' || needs.networks.length >= 64) return;
  if (!needs.networks.some((other) => other.kind === kind && other.name === name))
    needs.networks.push({ kind, name: name.slice(0, 255) });
}

/** The folder of a storage pool, from its XML; null for one that has none. */
export function parsePoolFolder(xml: string): string | null {
  let folder: string | null = null;
  try {
    walk(xml, {
      open: () => undefined,
      close(path, text) {
        if (path === 'pool/target/path') folder = text;
      },
    });
  } catch {
    return null;
  }
  return folder;
}

/** The host's own CPU and UUID in `capabilities`; null where they are not told. */
export function parseHostCpu(xml: string): CpuFacts | null {
  const cpu: CpuFacts = { arch: '', vendor: '', model: '', features: [] };
  try {
    walk(xml, {
      open(path, attributes) {
        if (path === 'capabilities/host/cpu/feature') cpu.features.push((attributes['name'] ?? '').slice(0, 64));
      },
      close(path, text) {
        if (path === 'capabilities/host/cpu/arch') cpu.arch = text.slice(0, 32);
        else if (path === 'capabilities/host/cpu/vendor') cpu.vendor = text.slice(0, 64);
        else if (path === 'capabilities/host/cpu/model') cpu.model = text.slice(0, 128);
      },
    });
  } catch {
    return null;
  }
  return cpu.arch === '' ? null : { ...cpu, features: cpu.features.slice(0, 1_024) };
}

/** Named CPU models in `domcapabilities` that a guest can be given here. */
export function parseCpuModels(xml: string): string[] | null {
  const models: string[] = [];
  let usable = false;
  let custom = false;
  try {
    walk(xml, {
      open(path, attributes) {
        if (path === 'domainCapabilities/cpu/mode') custom = attributes['name'] === 'custom';
        if (path === 'domainCapabilities/cpu/mode/model') usable = custom && attributes['usable'] !== 'no';
      },
      close(path, text) {
        if (path === 'domainCapabilities/cpu/mode/model' && usable) models.push(text.slice(0, 128));
      },
    });
  } catch {
    return null;
  }
  return models.slice(0, 1_024);
}
