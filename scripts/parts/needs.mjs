/**
 * What WebVirt needs of the machine: a program that must be found, or a module of Debian's Python; the Debian package
 * that brings it, and what is lost without it. `path`: the program must be this one, whatever stands first in PATH.
 */
export const PYTHON = '/usr/bin/python3';

export const NEEDS = {
  virsh: { package: 'libvirt-clients', without: 'no host can be managed' },
  libvirtd: { package: 'libvirt-daemon-system', without: "this machine shows libvirt's built-in test driver only" },
  'qemu-system-x86_64': { package: 'qemu-system-x86', without: 'this machine runs no instances' },
  'qemu-img': { package: 'qemu-utils', without: 'disk images cannot be handled' },
  nmap: { package: 'nmap', without: 'no agent is found by scanning' },
  python3: { package: 'python3', path: PYTHON, without: 'no computations run here' },
  'python3-ipython': { package: 'python3-ipython', module: 'IPython', without: 'no computations run here' },
  'python3-seccomp': { package: 'python3-seccomp', module: 'seccomp', without: 'no computations run here' },
  sagemath: {
    package: 'sagemath',
    module: 'sage',
    without: 'the kernel "sage" is not offered, and its tests are skipped',
  },
  chromium: { package: 'chromium', without: 'the browser tests are skipped' },
  jekyll: { package: 'jekyll', without: 'the reference site is not built' },
  busybox: { package: 'busybox-static', without: 'the lab has no guest' },
  ip: { package: 'iproute2', without: 'the lab has no network' },
  java: { package: 'openjdk-17-jre-headless', without: 'the tests with a real Cassandra are skipped' },
  mvn: { package: 'maven', without: 'the tests with a real Cassandra are skipped' },
  openssl: { package: 'openssl', without: 'some tests of certificates are skipped' },
  'redis-server': { package: 'redis-server', without: 'the tests with a real Redis are skipped' },
  // With the module for TLS, which brings the daemon itself.
  rsyslogd: {
    package: 'rsyslog-gnutls',
    path: '/usr/sbin/rsyslogd',
    without: 'the tests with a real rsyslog are skipped',
  },
  cc: { package: 'build-essential', without: 'the tests on disks that fail are skipped' },
};

/** What a computation in Python needs; `sage` comes on top. */
export const FOR_COMPUTE = ['python3', 'python3-ipython', 'python3-seccomp'];
export const FOR_START = ['virsh', 'libvirtd', 'qemu-system-x86_64', 'qemu-img', 'nmap', ...FOR_COMPUTE];
export const FOR_LAB = [...FOR_START, 'busybox', 'ip'];
const FOR_REAL_PARTS = ['openssl', 'cc', 'java', 'mvn', 'redis-server', 'rsyslogd', 'sagemath'];
export const FOR_TESTS = [...FOR_LAB, 'chromium', 'jekyll', ...FOR_REAL_PARTS];
