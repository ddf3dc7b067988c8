import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { element, toXml } from '../../common/pure/xml-build.ts';
import { hostAddress, hostName, LAB_GATEWAY } from './names.ts';

/** Paths as they are inside every host. */
export const IMAGES_DIR = '/var/lib/libvirt/images';
/** A folder on each host's own disk: what lies there is on no other host. */
export const LOCAL_POOL_DIR = '/var/lib/libvirt/local';
export const BOOT_DIR = '/var/lib/libvirt/boot';
export const CONSOLE_DIR = '/var/log/libvirt/consoles';
const LOCKSPACE_DIR = '/var/lib/libvirt/lockd/files';
/** A bridge of each host's own, without an uplink: the guests' cards hang on it. */
export const GUEST_BRIDGE = 'br0';
export const POOL_NAME = 'images';

export interface HostFilesInput {
  readonly name: string;
  readonly address: string;
  readonly uuid: string;
  readonly hostCount: number;
  /** Refuse to start a disk that another host has in use. */
  readonly locks: boolean;
  /** Answers of libvirt's probe of the QEMU programs from an earlier lab; may not exist. */
  readonly capabilitiesDir: string;
}

function libvirtdConf(host: HostFilesInput): string {
  return `listen_tls = 0
listen_tcp = 1
listen_addr = "${host.address}"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "${host.uuid}"
log_level = 3
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
`;
}

/** stdio_handler: no virtlogd here. namespaces and cgroups: the host is a namespace itself and has no cgroups. */
function qemuConf(host: HostFilesInput): string {
  return `user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
${host.locks ? 'lock_manager = "lockd"\n' : ''}migration_host = "${host.address}"
migration_address = "${host.address}"
`;
}

/** The image folder carries no locks from host to host; this folder, seen by all of them, does. */
const QEMU_LOCKD_CONF = `auto_disk_leases = 1
file_lockspace_dir = "${LOCKSPACE_DIR}"
`;

function poolXml(): string {
  const target = element('target', {}, element('path', {}, IMAGES_DIR));
  return toXml(element('pool', { type: 'dir' }, element('name', {}, POOL_NAME), target));
}

function hostsFile(host: HostFilesInput): string {
  const hosts = Array.from({ length: host.hostCount }, (_, i) => `${hostAddress(i + 1)} ${hostName(i + 1)}`);
  return ['127.0.0.1 localhost', ...hosts, `${LAB_GATEWAY} manager`, ''].join('\n');
}

/** Writes everything a host finds at its first boot. Nothing is overwritten at a later one: its disk survives a power cut. */
export async function writeHostFiles(hostDir: string, host: HostFilesInput): Promise<void> {
  const folders = [
    ...['etc-libvirt/qemu', 'etc-libvirt/storage/autostart', 'cache/qemu', 'log/qemu', 'log/consoles'],
    ...['lib/boot', 'lib/images', 'lib/local', 'lib/qemu', 'lib/lockd/files'],
  ];
  await Promise.all(folders.map((folder) => mkdir(join(hostDir, folder), { recursive: true })));
  const files: Readonly<Record<string, string>> = {
    'etc-libvirt/libvirtd.conf': libvirtdConf(host),
    'etc-libvirt/virtlockd.conf': '',
    'etc-libvirt/qemu.conf': qemuConf(host),
    'etc-libvirt/qemu-lockd.conf': QEMU_LOCKD_CONF,
    [`etc-libvirt/storage/${POOL_NAME}.xml`]: poolXml(),
    'machine-id': `${host.uuid.replaceAll('-', '')}\n`,
    hostname: `${host.name}\n`,
    hosts: hostsFile(host),
  };
  await Promise.all(Object.entries(files).map(([path, text]) => writeFile(join(hostDir, path), text)));
  await symlink(`../${POOL_NAME}.xml`, join(hostDir, `etc-libvirt/storage/autostart/${POOL_NAME}.xml`));
  // libvirt checks these against the programs it finds and probes again when they do not fit.
  await cp(host.capabilitiesDir, join(hostDir, 'cache/qemu/capabilities'), { recursive: true }).catch(() => {});
}
