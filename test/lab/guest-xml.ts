import { element, toXml } from '../../common/pure/xml-build.ts';
import { INITRAMFS_FILE, KERNEL_FILE } from './guest-image.ts';
import { BOOT_DIR, CONSOLE_DIR, GUEST_BRIDGE, IMAGES_DIR } from './host-files.ts';

export interface GuestDefinition {
  readonly name: string;
  readonly uuid: string;
  readonly memoryMiB: number;
  readonly accel: 'kvm' | 'tcg';
  /** Address with prefix length on the bridge of the host, such as 192.168.77.5/24. */
  readonly address: string;
}

/** What a guest does at boot is kept short: an emulated machine pays for each of these. */
export const KERNEL_OPTIONS = [
  ...['console=ttyS0', 'quiet', 'tsc=reliable', 'no_timer_check', 'nokaslr', 'mitigations=off', 'lpj=4000000'],
  ...['rcupdate.rcu_expedited=1', 'i8042.noaux', 'apparmor=0', 'audit=0', 'cryptomgr.notests', 'panic=1'],
];

export function diskPath(name: string): string {
  return `${IMAGES_DIR}/${name}.qcow2`;
}

/** The domain of a small guest; `cache="none"` is what a migration over shared storage asks for. */
export function guestXml(guest: GuestDefinition): string {
  const options = [...KERNEL_OPTIONS, `lab.name=${guest.name}`, `lab.address=${guest.address}`].join(' ');
  const domain = element(
    'domain',
    { type: guest.accel === 'kvm' ? 'kvm' : 'qemu' },
    element('name', {}, guest.name),
    element('uuid', {}, guest.uuid),
    element('memory', { unit: 'MiB' }, String(guest.memoryMiB)),
    element('vcpu', {}, '1'),
    element(
      'os',
      {},
      element('type', { arch: 'x86_64', machine: 'q35' }, 'hvm'),
      element('kernel', {}, `${BOOT_DIR}/${KERNEL_FILE}`),
      element('initrd', {}, `${BOOT_DIR}/${INITRAMFS_FILE}`),
      element('cmdline', {}, options),
    ),
    element('features', {}, element('acpi')),
    element('on_poweroff', {}, 'destroy'),
    element('on_reboot', {}, 'restart'),
    element('on_crash', {}, 'destroy'),
    element(
      'devices',
      {},
      element(
        'disk',
        { type: 'file', device: 'disk' },
        element('driver', { name: 'qemu', type: 'qcow2', cache: 'none' }),
        element('source', { file: diskPath(guest.name) }),
        element('target', { dev: 'vda', bus: 'virtio' }),
      ),
      element(
        'interface',
        { type: 'bridge' },
        element('source', { bridge: GUEST_BRIDGE }),
        element('model', { type: 'virtio' }),
      ),
      element(
        'serial',
        { type: 'pty' },
        element('log', { file: `${CONSOLE_DIR}/${guest.name}.log`, append: 'on' }),
        element('target', { port: 0 }),
      ),
      element('controller', { type: 'usb', model: 'none' }),
      element('memballoon', { model: 'virtio' }, element('stats', { period: 5 })),
    ),
  );
  return toXml(domain);
}
