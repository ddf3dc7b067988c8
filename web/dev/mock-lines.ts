// Invented lines for developing and testing the console alone.
import type { Level, Line, Source } from '../../common/model/line.ts';
import type { World } from './mock-data.ts';

const TALK: [Source, Level, string][] = [
  ['qemu', 'info', 'char device redirected to /dev/pts/4 (label charserial0)'],
  ['libvirt', 'debug', 'virConnectDomainEventRegisterAny: eventID=1 callback=0x7f2a'],
  ['journal', 'info', 'systemd[1]: Started Session 1182 of user root.'],
  ['console', 'info', '[    1.204418] virtio_blk virtio1: [vda] 41943040 512-byte logical blocks (21.5 GB/20.0 GiB)'],
  ['journal', 'warn', 'kernel: br0: port 3(vnet7) entered blocking state'],
  ['agent', 'debug', 'samples sent'],
  ['manager', 'info', 'link is up'],
  ['qemu', 'error', 'qemu-system-x86_64: block I/O error in device drive-virtio-disk0: No space left on device (28)'],
  ['libvirt', 'warn', 'Domain id=14 is tainted: host-cpu'],
  ['audit', 'info', 'admin@localhost asked for reboot'],
  ['crawler', 'info', 'scan ended'],
  ['journal', 'info', 'sshd[31337]: Accepted publickey for deploy from 10.77.0.9 port 51812 ssh2: ED25519 SHA256:mX3…'],
];
let seq = 0;

export function makeLine(world: World, tsMs: number): Line {
  seq += 1;
  const [source, level, message] = TALK[(seq * 7 + (seq % 5)) % TALK.length]!;
  const instance = world.instances[(seq * 13) % world.instances.length];
  const own = source === 'manager' || source === 'crawler' || source === 'audit';
  const host = world.hosts.find(({ id }) => id === instance?.host);
  const agent = own ? 'manager' : (host?.id ?? 'manager');
  const seldom = level !== 'error' || seq % 6 === 0;
  return {
    id: `${agent}.e1.${seq}`,
    tsMs,
    receivedMs: tsMs + 3,
    level: seldom ? level : 'info',
    host: own ? '' : (host?.id ?? ''),
    hostName: own ? '' : (host?.name ?? ''),
    agent,
    source,
    ...(source === 'journal' ? { unit: 'ssh.service' } : {}),
    ...(instance && (source === 'qemu' || source === 'console') ? { instance: instance.id } : {}),
    message: seldom ? message : 'qemu-system-x86_64: terminating on signal 15 from pid 1204 (/usr/sbin/libvirtd)',
    fields: { pid: 1200 + (seq % 80), rtt: { ms: (seq % 17) + 0.5 } },
  };
}
