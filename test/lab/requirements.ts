import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { BASE_ENV, LabError } from './run.ts';

/** Program → the Debian package that brings it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  libvirtd: 'libvirt-daemon-system',
  virtlockd: 'libvirt-daemon-system',
  virsh: 'libvirt-clients',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  busybox: 'busybox-static',
};

/** The full path of a program on the lab's PATH, or null. */
export function findProgram(program: string): string | null {
  for (const dir of BASE_ENV['PATH']!.split(':')) {
    const path = join(dir, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next directory may have it.
    }
  }
  return null;
}

/** @throws LabError, one line, naming the reason and the command that removes it. */
export function checkRequirements(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new LabError(`the lab needs Linux on x86-64, this is ${process.platform} on ${process.arch}`);
  }
  if (process.getuid?.() !== 0) throw new LabError('the lab makes namespaces and bridges: run it as root (sudo)');
  const missing = Object.keys(PROGRAMS).filter((program) => findProgram(program) === null);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((program) => PROGRAMS[program]!))].sort();
    throw new LabError(
      `missing: ${missing.join(', ')}. Run: apt-get install --no-install-recommends ${packages.join(' ')}`,
    );
  }
}
