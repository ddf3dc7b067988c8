import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeFile } from './new-disk.ts';

/** Removes the log of a serial console (absolute path) with its older parts, which virtlogd keeps as `….log.0`, `….log.1`. */
export async function removeConsoleLog(path: string): Promise<void> {
  const log = basename(path);
  const isOurs = (name: string) =>
    name === log || (name.startsWith(`${log}.`) && /^\d+$/.test(name.slice(log.length + 1)));
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names.filter(isOurs)) await removeFile(join(dirname(path), name));
}
