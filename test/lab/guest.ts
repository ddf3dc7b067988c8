import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guestXml } from './guest-xml.ts';
import { LabError, mustRun, type RunResult } from './run.ts';

export interface GuestOptions {
  /** Also the name of its disk on the shared folder: one name, one guest in the whole lab. */
  readonly name: string;
  /** 96 unless told; the kernel does not boot in less than 72. */
  readonly memoryMiB?: number;
  readonly autostart?: boolean;
  /** Start it at once; true unless told. */
  readonly running?: boolean;
}

/** What making a guest needs of its host. */
export interface GuestHome {
  readonly host: string;
  /** The shared folder as this machine sees it. */
  readonly imagesDir: string;
  /** The host's /var/cache/libvirt as this machine sees it: the way in for the XML (virsh opens no socket as a file). */
  readonly cacheDir: string;
  readonly accel: 'kvm' | 'tcg';
  readonly exec: (argv: readonly string[]) => Promise<RunResult>;
}

const DEFAULT_MEMORY_MIB = 96;
const DISK_SIZE = '64M';

/**
 * Makes the disk, defines the domain and starts it.
 * @returns the UUID
 * @throws LabError when the name is taken or libvirt refuses.
 */
export async function defineGuest(home: GuestHome, options: GuestOptions): Promise<string> {
  const { name } = options;
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) throw new LabError(`"${name}" cannot name a guest`);
  const disk = join(home.imagesDir, `${name}.qcow2`);
  if (existsSync(disk)) throw new LabError(`there is a disk ${name}.qcow2 already: choose another name`);
  await mustRun(['qemu-img', 'create', '-q', '-f', 'qcow2', '--', disk, DISK_SIZE]);

  const uuid = randomUUID();
  const virsh = async (...argv: readonly string[]) => {
    const result = await home.exec(['virsh', ...argv]);
    if (result.code !== 0) throw new LabError(`host ${home.host}: virsh ${argv[0]}: ${result.stderr.trim()}`);
  };
  const xml = guestXml({
    name,
    uuid,
    memoryMiB: options.memoryMiB ?? DEFAULT_MEMORY_MIB,
    accel: home.accel,
    address: `192.168.77.${1 + (Number.parseInt(uuid.slice(0, 8), 16) % 254)}/24`,
  });
  const xmlFile = `${uuid}.xml`;
  await writeFile(join(home.cacheDir, xmlFile), xml);
  try {
    await virsh('define', '--file', `/var/cache/libvirt/${xmlFile}`);
  } catch (error) {
    await rm(disk, { force: true });
    throw error;
  } finally {
    await rm(join(home.cacheDir, xmlFile), { force: true });
  }
  if (options.autostart) await virsh('autostart', '--domain', uuid);
  if (options.running ?? true) await virsh('start', '--domain', uuid);
  return uuid;
}
