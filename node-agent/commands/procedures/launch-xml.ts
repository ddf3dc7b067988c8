import { element, toXml, type XmlElement } from '../../../common/pure/xml-build.ts';

/** What the domain of a new instance is made of. Every path is absolute and was chosen or checked by us. */
export interface DomainPlan {
  uuid: string;
  name: string;
  type: 'kvm' | 'qemu';
  arch: string;
  vcpus: number;
  memoryBytes: number;
  diskPath: string;
  consoleLog: string;
  network: { kind: 'network' | 'bridge'; name: string } | null;
  kernel?: string | undefined;
  initrd?: string | undefined;
  cmdline?: string | undefined;
}

/** Machine of each architecture that guests are made for; another one is libvirt's choice. */
const MACHINES: Readonly<Record<string, string>> = { x86_64: 'q35', aarch64: 'virt' };

/**
 * The serial number that our disks have: by it a disk is told from one that somebody put into the domain later. It goes
 * where the domain goes. A virtio disk has room for 20 characters.
 */
export function diskSerial(uuid: string): string {
  return `wv${uuid.replaceAll('-', '').slice(0, 18)}`;
}

/** `{name}` and `{uuid}` in a kernel's command line stand for those of the instance. */
function filled(cmdline: string, { name, uuid }: DomainPlan): string {
  return cmdline.replaceAll('{name}', name).replaceAll('{uuid}', uuid);
}

/** The XML of a new domain: headless, one disk, a serial console that is logged, at most one network card. */
export function domainXml(plan: DomainPlan): string {
  const text = (name: string, value: string | undefined) => (value === undefined ? [] : [element(name, {}, value)]);
  const cmdline = plan.kernel === undefined || plan.cmdline === undefined ? undefined : filled(plan.cmdline, plan);
  const x86 = plan.arch === 'x86_64';
  return toXml(
    element(
      'domain',
      { type: plan.type },
      element('name', {}, plan.name),
      element('uuid', {}, plan.uuid),
      element('memory', { unit: 'B' }, plan.memoryBytes),
      element('vcpu', {}, plan.vcpus),
      element(
        'os',
        {},
        element('type', { arch: plan.arch, machine: MACHINES[plan.arch] }, 'hvm'),
        ...text('kernel', plan.kernel),
        ...text('initrd', plan.kernel === undefined ? undefined : plan.initrd),
        ...text('cmdline', cmdline),
        ...(plan.kernel === undefined ? [element('boot', { dev: 'hd' })] : []),
      ),
      element('features', {}, ...(x86 ? [element('acpi'), element('apic')] : [])),
      ...(plan.type === 'kvm' ? [element('cpu', { mode: 'host-model', check: 'partial' })] : []),
      element('clock', { offset: 'utc' }),
      element('on_poweroff', {}, 'destroy'),
      element('on_reboot', {}, 'restart'),
      element('on_crash', {}, 'destroy'),
      element('devices', {}, ...devices(plan)),
    ),
  );
}

function devices(plan: DomainPlan): XmlElement[] {
  return [
    element(
      'disk',
      { type: 'file', device: 'disk' },
      // No cache of the host: what a migration over shared storage asks for.
      element('driver', { name: 'qemu', type: 'qcow2', cache: 'none', discard: 'unmap' }),
      element('source', { file: plan.diskPath }),
      element('target', { dev: 'vda', bus: 'virtio' }),
      element('serial', {}, diskSerial(plan.uuid)),
    ),
    ...(plan.network === null ? [] : [networkCard(plan.network)]),
    element(
      'serial',
      { type: 'pty' },
      element('log', { file: plan.consoleLog, append: 'on' }),
      element('target', { port: 0 }),
    ),
    element('console', { type: 'pty' }, element('target', { type: 'serial', port: 0 })),
    element('controller', { type: 'usb', model: 'none' }),
    element('memballoon', { model: 'virtio' }, element('stats', { period: 5 })),
    element('rng', { model: 'virtio' }, element('backend', { model: 'random' }, '/dev/urandom')),
  ];
}

function networkCard({ kind, name }: NonNullable<DomainPlan['network']>): XmlElement {
  return element(
    'interface',
    { type: kind },
    element('source', kind === 'bridge' ? { bridge: name } : { network: name }),
    element('model', { type: 'virtio' }),
  );
}
