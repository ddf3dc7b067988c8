import { existsSync, readFileSync } from 'node:fs';
import { findProgram, run } from './run.mjs';

/** A need: a program that must be found, the Debian package that brings it, and what is lost without it. */
const NEEDS = {
  virsh: { package: 'libvirt-clients', without: 'no host can be managed' },
  libvirtd: { package: 'libvirt-daemon-system', without: "this machine shows libvirt's built-in test driver only" },
  'qemu-system-x86_64': { package: 'qemu-system-x86', without: 'this machine runs no instances' },
  'qemu-img': { package: 'qemu-utils', without: 'disk images cannot be handled' },
  nmap: { package: 'nmap', without: 'no agent is found by scanning' },
  python3: { package: 'python3', without: 'no computations run here' },
  chromium: { package: 'chromium', without: 'the browser tests are skipped' },
  jekyll: { package: 'jekyll', without: 'the reference site is not built' },
  busybox: { package: 'busybox-static', without: 'the lab has no guest' },
  ip: { package: 'iproute2', without: 'the lab has no network' },
  openssl: { package: 'openssl', without: 'some tests of certificates are skipped' },
};

export const FOR_START = ['virsh', 'libvirtd', 'qemu-system-x86_64', 'qemu-img', 'nmap', 'python3'];
export const FOR_LAB = [...FOR_START, 'busybox', 'ip'];
export const FOR_TESTS = [...FOR_LAB, 'chromium', 'jekyll', 'openssl'];

const isDebian = () => existsSync('/etc/debian_version') && findProgram('apt-get') !== null;
const isRoot = () => process.getuid?.() === 0;

/**
 * Makes sure that the programs are there. As root on Debian it installs their packages; else, and where that fails,
 * it says exactly what is missing and what follows, and goes on. Returns the names that are still missing.
 */
export async function ensurePrograms(names, say = console.log) {
  let missing = names.filter((name) => findProgram(name) === null);
  if (missing.length === 0) return [];
  const packages = [...new Set(missing.map((name) => NEEDS[name].package))];
  if (isDebian() && isRoot()) {
    say(`Installing Debian packages: ${packages.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-qq'], { env, capture: true });
    const apt = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', '--', ...packages], {
      env,
      capture: true,
    });
    if (apt.code !== 0) say(`apt-get could not install them: ${apt.output.trim().split('\n').at(-1)}`);
    missing = missing.filter((name) => findProgram(name) === null);
  }
  for (const name of missing) say(`Missing: ${name} (Debian package ${NEEDS[name].package}): ${NEEDS[name].without}.`);
  if (missing.length > 0 && !isRoot()) {
    say(`To have all of it: sudo apt-get install ${[...new Set(missing.map((n) => NEEDS[n].package))].join(' ')}`);
  }
  return missing;
}

/** For messages: the name of the distribution. */
export function distribution() {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'this system';
  } catch {
    return 'this system';
  }
}
