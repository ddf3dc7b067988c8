import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it, for this user alone. Throws the system's error. Node's own recursive form never
 * returns where a file system answers "no such folder" to every try, as /proc does. A file in its place is ENOTDIR.
 */
export function makeFolder(path: string): void {
  const whole = resolve(path);
  const there = statSync(whole, { throwIfNoEntry: false });
  if (there?.isDirectory()) return;
  if (there !== undefined)
    throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${whole}'`), { code: 'ENOTDIR', path: whole });
  makeFolder(dirname(whole));
  try {
    mkdirSync(whole, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
