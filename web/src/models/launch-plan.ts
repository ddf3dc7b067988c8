import { instanceNameFault } from '../../../common/pure/instance-name.ts';
import type { LaunchRequest } from './operations.ts';

export const UNIT_BYTES = { MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
export type Unit = keyof typeof UNIT_BYTES;

/** What QEMU itself takes beside the guest's memory; the manager reckons with the same. */
const OVERHEAD_BYTES = 48 * 1024 ** 2;

/** The form as it is typed: texts, for half a number is no number yet. */
export interface LaunchForm {
  base: string;
  name: string;
  /** Empty: the manager chooses. */
  host: string;
  vcpus: string;
  memory: string;
  memoryUnit: Unit;
  /** GiB; empty: as large as the base image. */
  disk: string;
  /** Empty: no network card. */
  network: string;
  autostart: boolean;
}

/** What is known of a base image of one host. */
export interface PlanImage {
  name: string;
  host: string;
  hostName: string;
  pool: string;
  format: string;
  virtualBytes: number;
  fault?: string | undefined;
}

/** What is known of a host. `resources` null: not told yet. */
export interface PlanHost {
  id: string;
  name: string;
  state: string;
  cpus: number;
  /** By its last sample; a guess where the resources are not told. */
  freeMemoryBytes: number | null;
  resources: {
    memoryAvailableBytes: number;
    domainType: string | null;
    pools: readonly { name: string; freeBytes: number; totalBytes: number; fault?: string | undefined }[];
    networks: readonly { name: string; active: boolean }[];
  } | null;
}

export interface BaseChoice {
  name: string;
  format: string;
  virtualBytes: number;
  hostNames: string[];
  /** Why it can be used nowhere. */
  fault: string | null;
}

export interface HostChoice {
  id: string;
  name: string;
  freeMemoryBytes: number | null;
  pool: { name: string; freeBytes: number; totalBytes: number } | null;
  /** Why the instance cannot go there; null when it can. */
  why: string | null;
}

export type LaunchFaults = Partial<Record<'base' | 'name' | 'host' | 'vcpus' | 'memory' | 'disk' | 'network', string>>;

/** Base images by name: one of the same name on several hosts is one choice. */
export function baseChoices(images: readonly PlanImage[]): BaseChoice[] {
  const byName = new Map<string, PlanImage[]>();
  for (const image of images) byName.set(image.name, [...(byName.get(image.name) ?? []), image]);
  return [...byName].map(([name, all]) => {
    const good = all.filter((image) => !image.fault);
    return {
      name,
      format: all[0]!.format,
      virtualBytes: Math.max(...all.map((image) => image.virtualBytes)),
      hostNames: (good.length > 0 ? good : all).map((image) => image.hostName),
      fault: good.length > 0 ? null : all[0]!.fault!,
    };
  });
}

/** The hosts that have the base image, by name, each with what speaks against it. */
export function hostChoices(images: readonly PlanImage[], hosts: readonly PlanHost[], form: LaunchForm): HostChoice[] {
  const memoryBytes = bytesOf(form.memory, UNIT_BYTES[form.memoryUnit]);
  const diskBytes = bytesOf(form.disk, UNIT_BYTES.GiB);
  return images
    .filter((image) => image.name === form.base)
    .flatMap((image): HostChoice[] => {
      const host = hosts.find(({ id }) => id === image.host);
      if (host === undefined) return [];
      const { resources } = host;
      const pool = resources?.pools.find(({ name }) => name === image.pool) ?? null;
      const freeMemoryBytes = resources?.memoryAvailableBytes ?? host.freeMemoryBytes;
      const why =
        host.state !== 'online'
          ? `the host is ${host.state}`
          : (image.fault ??
            pool?.fault ??
            (resources?.domainType === null ? 'libvirt cannot run a guest there' : null) ??
            (memoryBytes !== null && freeMemoryBytes !== null && memoryBytes + OVERHEAD_BYTES > freeMemoryBytes
              ? 'not enough free memory'
              : diskBytes !== null && pool !== null && diskBytes > pool.totalBytes
                ? `the disk is larger than its pool ${pool.name}`
                : null));
      return [{ id: host.id, name: host.name, freeMemoryBytes, pool, why }];
    });
}

/** The host that the manager would choose now: most free memory among those that can, and have the network. */
export function likeliestHost(
  choices: readonly HostChoice[],
  hosts: readonly PlanHost[] = [],
  network = '',
): HostChoice | null {
  const offers = (id: string) => {
    const known = network === '' ? null : (hosts.find((host) => host.id === id)?.resources ?? null);
    return known === null || known.networks.some(({ name, active }) => active && name === network);
  };
  const able = choices.filter(({ id, why }) => why === null && offers(id));
  return able.sort((a, b) => (b.freeMemoryBytes ?? 0) - (a.freeMemoryBytes ?? 0))[0] ?? null;
}

/** Active networks of the chosen host; with none chosen, of all that could be, with how many of them have each. */
export function networkChoices(
  choices: readonly HostChoice[],
  hosts: readonly PlanHost[],
  chosen: string,
): { name: string; onHosts: number; ofHosts: number }[] {
  const able = choices.filter(({ why }) => why === null);
  // While none can take it, the networks are not the reason: those of all stay on offer.
  const open = able.length > 0 ? able : choices;
  const ids = (chosen === '' ? open : choices.filter(({ id }) => id === chosen)).map(({ id }) => id);
  const known = ids.flatMap((id) => hosts.find((host) => host.id === id)?.resources ?? []);
  const counts = new Map<string, number>();
  for (const { networks } of known)
    for (const { name, active } of networks) if (active) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, onHosts]) => ({ name, onHosts, ofHosts: known.length }));
}

/** A free name made from that of the base image: `debian-1`. */
export function suggestName(base: string, taken: ReadonlySet<string>): string {
  const stem = base.slice(0, 56);
  for (let number = 1; ; number += 1) {
    const name = `${stem}-${number}`;
    if (!taken.has(name) && instanceNameFault(name) === null) return name;
    if (number > taken.size + 1) return '';
  }
}

/** A number as people type it, times a unit, in bytes; null when it is none. */
export function bytesOf(text: string, unitBytes: number): number | null {
  if (!/^\d+([.,]\d+)?$/.test(text.trim())) return null;
  return Math.round(Number(text.trim().replace(',', '.')) * unitBytes);
}

/** What keeps the form from being sent, each under the field that it belongs to. Texts without a full stop. */
export function launchFaults(
  form: LaunchForm,
  base: BaseChoice | null,
  choices: readonly HostChoice[],
  taken: ReadonlyMap<string, string>,
): LaunchFaults {
  const faults: LaunchFaults = {};
  if (base === null) faults.base = 'Choose a base image';
  else if (base.fault !== null) faults.base = `No host can use it now: ${base.fault}`;
  const name = instanceNameFault(form.name);
  if (name !== null) faults.name = `${name[0]!.toUpperCase()}${name.slice(1)}`;
  else if (taken.has(form.name)) faults.name = `There is an instance of this name on ${taken.get(form.name)}`;
  const vcpus = /^\d+$/.test(form.vcpus.trim()) ? Number(form.vcpus) : 0;
  if (vcpus < 1) faults.vcpus = 'A whole number, at least 1';
  const memoryBytes = bytesOf(form.memory, UNIT_BYTES[form.memoryUnit]);
  if (memoryBytes === null || memoryBytes <= 0) faults.memory = 'A number, such as 2 or 0.5';
  if (form.disk.trim() !== '') {
    const diskBytes = bytesOf(form.disk, UNIT_BYTES.GiB);
    if (diskBytes === null) faults.disk = 'A number of GiB, or nothing';
    else if (base !== null && diskBytes < base.virtualBytes) faults.disk = 'Smaller than the base image';
  }
  if (faults.base === undefined) {
    const chosen = choices.find(({ id }) => id === form.host);
    if (form.host !== '' && chosen?.why !== null) faults.host = `It cannot go there: ${chosen?.why ?? 'no such image'}`;
    else if (form.host === '' && likeliestHost(choices) === null) faults.host = noHost(choices);
  }
  return faults;
}

/** Why no host can: one reason that holds for all is worth naming. */
function noHost(choices: readonly HostChoice[]): string {
  const reasons = new Set(choices.map(({ why }) => why));
  return reasons.size === 1 ? `No host can take it now: ${[...reasons][0]}` : 'No host can take it now';
}

/** The call that the form makes; only for a form without faults. */
export function launchRequest(form: LaunchForm): LaunchRequest {
  const diskBytes = form.disk.trim() === '' ? null : bytesOf(form.disk, UNIT_BYTES.GiB);
  return {
    name: form.name,
    base: form.base,
    ...(form.host === '' ? {} : { host: form.host }),
    vcpus: Number(form.vcpus),
    memoryBytes: bytesOf(form.memory, UNIT_BYTES[form.memoryUnit])!,
    ...(diskBytes === null ? {} : { diskBytes }),
    ...(form.network === '' ? {} : { network: form.network }),
    autostart: form.autostart,
  };
}
