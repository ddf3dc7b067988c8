import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { AgentInstance } from '../../../common/model/instance.ts';
import type { Resources } from '../../resources/resources.ts';
import type { DomainDisk } from './domain-files.ts';
import { diskSerial } from './launch-xml.ts';

/** A disk that goes with its instance. */
export interface OwnDisk {
  path: string;
  ino: number;
}

export interface DiskVerdicts {
  remove: OwnDisk[];
  /** Disks that stay where they are, each with the reason in words. */
  keep: { path: string; reason: string }[];
}

export interface OwnDiskDeps {
  resources: Pick<Resources, 'pools' | 'images' | 'clones'>;
  hypervisor: { instances(): AgentInstance[] };
}

/**
 * Which disks of an instance were made for it by a launch and may go with it. All of this must be true: it has our serial
 * number and the instance's UUID as its name, it is a regular file with one name directly in the folder of a pool, no base
 * image, no other instance has it, and no other disk stands on it. Anything else stays.
 */
export async function judgeDisks(
  uuid: string,
  disks: readonly DomainDisk[],
  { resources, hypervisor }: OwnDiskDeps,
): Promise<DiskVerdicts> {
  const verdicts: DiskVerdicts = { remove: [], keep: [] };
  const folders = await resources.pools.folders();
  const others = new Set<string>();
  for (const instance of hypervisor.instances()) {
    if (instance.id === uuid) continue;
    for (const { source } of instance.disks ?? [])
      if (source !== undefined) others.add(await realpath(source).catch(() => source));
  }
  for (const disk of disks) {
    const path = disk.file;
    if (verdicts.remove.some((one) => one.path === path) || verdicts.keep.some((one) => one.path === path)) continue;
    const ino = await inodeOf(path);
    const reason =
      ino === null
        ? 'it is no regular file with one name'
        : (foreign(disk, uuid, folders) ?? (await used(path, others, folders, resources)));
    if (reason === null && ino !== null) verdicts.remove.push({ path, ino });
    else verdicts.keep.push({ path, reason: reason ?? 'it could not be looked at' });
  }
  return verdicts;
}

/** Why a disk was not made by a launch of this instance, by what it is called; null when it was. */
function foreign({ file, device, serial }: DomainDisk, uuid: string, folders: readonly string[]): string | null {
  if (device !== 'disk') return `it is a ${device}`;
  if (serial !== diskSerial(uuid) || basename(file) !== `${uuid}.qcow2`) return 'it was not made by WebVirt';
  return folders.includes(dirname(file)) ? null : 'it lies in no pool of this host';
}

async function used(
  path: string,
  others: ReadonlySet<string>,
  folders: readonly string[],
  resources: OwnDiskDeps['resources'],
): Promise<string | null> {
  if (others.has(path)) return 'another instance has it too';
  if (resources.images.list().some((image) => [image.path, image.kernel, image.initrd].includes(path)))
    return 'it is a base image';
  const clones = await resources.clones.of(path, folders);
  return clones.length === 0 ? null : `other disks stand on it (${clones.slice(0, 3).join(', ')})`;
}

/** Inode of a regular file that has no second name and whose path holds no symbolic link, else null. */
async function inodeOf(path: string): Promise<number | null> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.nlink === 1 && (await realpath(path)) === path ? stats.ino : null;
  } catch {
    return null;
  }
}
