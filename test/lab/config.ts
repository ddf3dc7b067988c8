import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the lab keeps what it fetched or built once: kernel, guest image, bindfs, libvirt's capability probe. */
export interface LabConfig {
  readonly cacheDir: string;
}

const REPO_DIR = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The only reader of the environment in this folder: `WEBVIRT_CACHE_DIR` moves the cache out of the repository. */
export function readLabConfig(env: NodeJS.ProcessEnv = process.env): LabConfig {
  const base = env['WEBVIRT_CACHE_DIR'] ? resolve(env['WEBVIRT_CACHE_DIR']) : join(REPO_DIR, '.cache');
  return { cacheDir: join(base, 'lab') };
}
