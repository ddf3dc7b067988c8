import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { dependencyOf, unpackPackages } from './debian.ts';
import { LabError, runRaw } from './run.ts';

export interface Kernel {
  readonly version: string;
  readonly vmlinuz: string;
  readonly modulesDir: string;
}

/** Drivers of the guest: power button, disk, network, balloon. What a kernel has built in is simply not found. */
const WANTED = ['button', 'evdev', 'virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_balloon'];

async function list(dir: string): Promise<string[]> {
  return await readdir(dir).catch(() => []);
}

/** A kernel below `root` whose modules are there as well; the newest by name. */
async function kernelIn(root: string, pattern: RegExp): Promise<Kernel | null> {
  const images = (await list(join(root, 'boot'))).filter((file) => pattern.test(file)).sort();
  for (const image of images.reverse()) {
    const version = image.slice('vmlinuz-'.length);
    for (const modules of ['lib/modules', 'usr/lib/modules']) {
      const modulesDir = join(root, modules, version, 'kernel');
      if ((await list(modulesDir)).length > 0) return { version, vmlinuz: join(root, 'boot', image), modulesDir };
    }
  }
  return null;
}

const CLOUD = /^vmlinuz-.*-cloud-amd64$/;

/**
 * Debian's cloud kernel: the one on this machine, the one fetched before, or a fresh one unpacked into the cache
 * (never installed). Without a way to fetch it, any other kernel of this machine will do; it boots more slowly.
 */
export async function findKernel(cacheDir: string): Promise<Kernel> {
  const kernelDir = join(cacheDir, 'kernel');
  const found = (await kernelIn('/', CLOUD)) ?? (await kernelIn(kernelDir, CLOUD));
  if (found) return found;
  try {
    const name = await dependencyOf('linux-image-cloud-amd64', /^linux-image-[0-9].*-cloud-amd64$/);
    await unpackPackages([name], kernelDir);
    const fetched = await kernelIn(kernelDir, CLOUD);
    if (fetched) return fetched;
    throw new LabError(`${name} holds no kernel image`);
  } catch (error) {
    const local = await kernelIn('/', /^vmlinuz-\d/);
    if (local) return local;
    throw error;
  }
}

export interface KernelModule {
  readonly name: string;
  readonly data: Buffer;
}

async function readModule(path: string): Promise<Buffer> {
  if (path.endsWith('.ko')) return await readFile(path);
  const argv = path.endsWith('.xz') ? ['busybox', 'unxz', '-c', path] : ['zstd', '-dcq', '--', path];
  const result = await runRaw(argv);
  if (result.code !== 0) throw new LabError(`cannot unpack ${path}: ${result.stderr.trim()}`);
  return result.stdout;
}

/** The names after `depends=` in the module's own description; modules.dep exists only after an installation. */
function dependsOf(data: Buffer): string[] {
  const start = data.indexOf('\0depends=');
  if (start < 0) return [];
  const text = data.toString('latin1', start + '\0depends='.length, data.indexOf('\0', start + 1));
  return text.split(',').filter((name) => name !== '');
}

/** The modules of the guest, each after those it needs: they can be loaded in this order with insmod. */
export async function collectModules(kernel: Kernel): Promise<KernelModule[]> {
  const paths = new Map<string, string>();
  for (const entry of await readdir(kernel.modulesDir, { recursive: true })) {
    const match = /^(.+)\.ko(\.xz|\.zst)?$/.exec(basename(entry));
    if (match) paths.set(match[1]!.replaceAll('-', '_'), join(kernel.modulesDir, entry));
  }
  const ordered = new Map<string, KernelModule>();
  const visit = async (name: string): Promise<void> => {
    const path = paths.get(name);
    if (!path || ordered.has(name)) return;
    const data = await readModule(path);
    for (const needed of dependsOf(data)) await visit(needed.replaceAll('-', '_'));
    ordered.set(name, { name, data });
  };
  for (const name of WANTED) await visit(name);
  return [...ordered.values()];
}
