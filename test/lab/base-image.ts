import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { INITRAMFS_FILE, KERNEL_FILE } from './guest-image.ts';
import { KERNEL_OPTIONS } from './guest-xml.ts';
import { mustRun } from './run.ts';

/** The pools of every host: the folder that all see, and one on its own disk. */
export const SHARED_POOL = 'shared';
export const LOCAL_POOL = 'local';

const FOLDER = 'base';
const DISK_SIZE = '64M';

/** What `POST /api/v1/images` takes, but for the host. */
export const TINY = {
  name: 'tiny',
  pool: SHARED_POOL,
  file: `${FOLDER}/tiny.qcow2`,
  format: 'qcow2',
  kernel: `${FOLDER}/tiny.vmlinuz`,
  initrd: `${FOLDER}/tiny.initramfs`,
  // The agent puts the name of the instance in the place of {name}.
  cmdline: [...KERNEL_OPTIONS, 'lab.name={name}'].join(' '),
} as const;

/**
 * Puts the files of the base image `tiny` into the shared folder: the guest of the lab, which boots in less than two
 * seconds, prints a heartbeat on its serial console and opens a shell there when Enter is pressed.
 * @param imagesDir the shared folder as this machine sees it
 */
export async function prepareTiny(imagesDir: string, bootDir: string): Promise<void> {
  const at = (file: string) => join(imagesDir, file);
  if (existsSync(at(TINY.file))) return;
  await mkdir(at(FOLDER), { recursive: true });
  await copyFile(join(bootDir, KERNEL_FILE), at(TINY.kernel));
  await copyFile(join(bootDir, INITRAMFS_FILE), at(TINY.initrd));
  await mustRun(['qemu-img', 'create', '-q', '-f', 'qcow2', '--', at(TINY.file), DISK_SIZE]);
}
