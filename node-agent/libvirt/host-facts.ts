import { readFileSync } from 'node:fs';
import { cpus, hostname, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { HostFacts } from '../../common/model/host.ts';

/** What is known of the machine without libvirt. Read once. */
export function machineFacts(procDir: string): Omit<HostFacts, 'hypervisor' | 'limited' | 'libvirtAnswers'> {
  const os = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text('/etc/os-release'))?.[1];
  const bootSeconds = /^btime (\d+)$/m.exec(text(join(procDir, 'stat')))?.[1];
  return {
    name: hostname().slice(0, 255),
    ...(os === undefined ? {} : { os: os.slice(0, 255) }),
    kernel: release().slice(0, 255),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    ...(bootSeconds === undefined ? {} : { bootMs: Number(bootSeconds) * 1_000 }),
  };
}

/** Reads `virsh version`. */
export function parseVersion(out: string): { version?: string; libvirtVersion?: string } {
  const version = /^Running hypervisor: (.+)$/m.exec(out)?.[1];
  const libvirtVersion = /^Using library: libvirt (.+)$/m.exec(out)?.[1];
  return {
    ...(version === undefined ? {} : { version: version.slice(0, 64) }),
    ...(libvirtVersion === undefined ? {} : { libvirtVersion: libvirtVersion.slice(0, 64) }),
  };
}

/** The host's UUID in `virsh capabilities`. */
export function parseHostUuid(out: string): string | undefined {
  return /<host>\s*<uuid>([0-9a-f-]{36})<\/uuid>/.exec(out)?.[1];
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
