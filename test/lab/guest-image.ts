import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpioEntry, cpioArchive, DIRECTORY, EXECUTABLE, PLAIN_FILE } from './cpio.ts';
import { publish } from './debian.ts';
import { collectModules, findKernel } from './kernel.ts';
import { findProgram } from './requirements.ts';
import { LabError } from './run.ts';

/** A folder with the two files a guest boots from. */
export interface GuestImage {
  readonly dir: string;
  readonly kernelVersion: string;
}

export const KERNEL_FILE = 'vmlinuz';
export const INITRAMFS_FILE = 'initramfs';

const SOURCE_DIR = join(dirname(fileURLToPath(import.meta.url)), 'guest');
/** Our file → where it stands in the guest. */
const FILES: Readonly<Record<string, { path: string; mode: number }>> = {
  init: { path: 'init', mode: EXECUTABLE },
  inittab: { path: 'etc/inittab', mode: PLAIN_FILE },
  'boot.sh': { path: 'etc/boot', mode: EXECUTABLE },
  'heartbeat.sh': { path: 'etc/heartbeat', mode: EXECUTABLE },
  'console.sh': { path: 'etc/console', mode: EXECUTABLE },
  // acpid runs the file with this name when the power button is pressed.
  'power-button.sh': { path: 'etc/acpi/PWRF/00000080', mode: EXECUTABLE },
};
const DIRECTORIES = ['bin', 'dev', 'etc', 'etc/acpi', 'etc/acpi/PWRF', 'modules', 'proc', 'sys', 'tmp'];

/** A busybox that needs no library: the guest has none. */
async function readBusybox(): Promise<Buffer> {
  const data = await readFile(findProgram('busybox')!);
  if (data.includes('/lib64/ld-linux')) {
    throw new LabError('this busybox needs libraries. Run: apt-get install --no-install-recommends busybox-static');
  }
  return data;
}

/**
 * The kernel and the first file system of the guests, built once per kernel and per change of our files.
 * The file system is not compressed: unpacking it in an emulated machine costs more than reading it.
 */
export async function prepareGuestImage(cacheDir: string): Promise<GuestImage> {
  const kernel = await findKernel(cacheDir);
  const busybox = await readBusybox();
  const sources = await Promise.all(
    Object.entries(FILES).map(async ([file, at]) => ({ ...at, data: await readFile(join(SOURCE_DIR, file)) })),
  );
  const hash = createHash('sha256').update(kernel.version).update(busybox);
  for (const source of sources) hash.update(source.path).update('\0').update(source.data);
  const dir = join(cacheDir, `guest-${kernel.version}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(dir)) return { dir, kernelVersion: kernel.version };

  const modules = await collectModules(kernel);
  const entries: CpioEntry[] = [
    ...DIRECTORIES.map((path) => ({ path, mode: DIRECTORY })),
    { path: 'bin/busybox', mode: EXECUTABLE, data: busybox },
    ...sources,
    ...modules.map(({ name, data }, i) => ({
      path: `modules/${String(i).padStart(2, '0')}-${name}.ko`,
      mode: PLAIN_FILE,
      data,
    })),
  ];
  await mkdir(cacheDir, { recursive: true });
  const draft = await mkdtemp(`${dir}.`);
  try {
    await copyFile(kernel.vmlinuz, join(draft, KERNEL_FILE));
    await writeFile(join(draft, INITRAMFS_FILE), cpioArchive(entries));
    await publish(draft, dir);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { dir, kernelVersion: kernel.version };
}
