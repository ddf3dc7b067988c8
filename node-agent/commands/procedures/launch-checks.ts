import { join } from 'node:path';
import { WebvirtError } from '../../../common/errors.ts';
import type { HostFacts } from '../../../common/model/host.ts';
import type { HostResources } from '../../../common/model/resources.ts';
import { type KeptImage, mustBeUsable } from '../../resources/images.ts';
import { OVERHEAD_BYTES } from '../../resources/memory.ts';
import { findNetwork } from '../../resources/networks.ts';
import type { Resources } from '../../resources/resources.ts';
import type { LaunchArgs } from './launch-args.ts';
import type { DomainPlan } from './launch-xml.ts';
import { diskPathOf } from './new-disk.ts';

/** A clone is thin: it takes room as its guest writes. Less than this is not even enough to begin. */
export const DISK_FLOOR_BYTES = 64 * 1024 * 1024;

export interface LaunchPlan {
  domain: DomainPlan;
  base: KeptImage;
  diskBytes: number;
}

export interface CheckDeps {
  resources: Pick<Resources, 'pools' | 'images' | 'read'>;
  hypervisor: { facts(): HostFacts; idOf(name: string): string | undefined };
  consoleLogDir: string;
  /** Takes memory for a launch under way, so that two at once are not given the same; false when it does not fit. */
  takeMemory(uuid: string, bytes: number, availableBytes: number): boolean;
}

/** Decides everything about a new instance before anything is made. @throws {WebvirtError} that says why not. */
export async function planLaunch(uuid: string, args: LaunchArgs, deps: CheckDeps): Promise<LaunchPlan> {
  const { hypervisor, resources } = deps;
  if (hypervisor.facts().hypervisor.driver !== 'qemu')
    throw new WebvirtError('libvirt-unavailable', 'No instance can be made here: this host has no QEMU by libvirt.');
  if (hypervisor.idOf(args.name) !== undefined)
    throw new WebvirtError('name-taken', `An instance of this host is called ${args.name} already.`);
  const base = await mustBeUsable(resources.images, args.base);
  const [host, folder, space] = await Promise.all([
    resources.read(),
    resources.pools.folder(base.pool),
    resources.pools.freeBytes(base.pool),
  ]);
  const diskBytes = args.diskBytes ?? base.virtualBytes;
  mustHaveRoom(args, { host, base, space, diskBytes });
  const network = networkOf(host, args.network);
  if (!deps.takeMemory(uuid, args.memoryBytes + OVERHEAD_BYTES, host.memoryAvailableBytes))
    throw new WebvirtError(
      'no-room',
      `There is not enough memory: ${needed(args, host)}, beside what is being made now.`,
    );
  return {
    base,
    diskBytes,
    domain: {
      uuid,
      name: args.name,
      type: host.domainType ?? 'qemu',
      arch: host.arch ?? hostArch(),
      vcpus: args.vcpus,
      memoryBytes: args.memoryBytes,
      diskPath: diskPathOf(folder, uuid),
      consoleLog: join(deps.consoleLogDir, `${uuid}.log`),
      network,
      kernel: base.kernel,
      initrd: base.initrd,
      cmdline: base.cmdline,
    },
  };
}

function mustHaveRoom(
  args: LaunchArgs,
  at: { host: HostResources; base: KeptImage; space: { freeBytes: number; totalBytes: number }; diskBytes: number },
): void {
  const { host, base, space, diskBytes } = at;
  const no = (message: string): never => {
    throw new WebvirtError('no-room', message);
  };
  if (args.memoryBytes + OVERHEAD_BYTES > host.memoryAvailableBytes)
    no(`There is not enough memory: ${needed(args, host)}.`);
  if (diskBytes < base.virtualBytes)
    throw new WebvirtError('bad-request', `The disk must be at least as large as its base, ${mib(base.virtualBytes)}.`);
  if (space.freeBytes < DISK_FLOOR_BYTES) no(`Pool ${base.pool} has only ${mib(space.freeBytes)} left.`);
  if (diskBytes > space.totalBytes)
    no(`A disk of ${mib(diskBytes)} could never be filled in pool ${base.pool}, which has ${mib(space.totalBytes)}.`);
}

function networkOf(host: HostResources, name: string | undefined): DomainPlan['network'] {
  if (name === undefined) return null;
  const network = findNetwork(host.networks, name);
  if (network === undefined) throw new WebvirtError('not-found', `This host has no network or bridge ${name}.`);
  if (!network.active)
    throw new WebvirtError('wrong-state', `The ${network.kind} ${name} of this host is not started.`);
  return { kind: network.kind, name };
}

/** Before libvirt has told: this machine's own. */
function hostArch(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

function needed(args: LaunchArgs, host: HostResources): string {
  return `${mib(host.memoryAvailableBytes)} can be given, ${mib(args.memoryBytes)} are asked for`;
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024).toLocaleString('en')} MiB`;
}
