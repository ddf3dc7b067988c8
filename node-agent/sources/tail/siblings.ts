import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fits, type Position } from './position.ts';

const PACKED = /\.(?:gz|xz|zst|bz2|lz4|lzma|Z|zip)$/;
/** What rotation puts behind a name, or between it and `.log`: `.1`, `-20261121`, `.2026-11-21`, `.old`. */
const ROTATED = /^(.+?)(?:\.\d{1,4}|[-._]\d{4}-?\d\d-?\d\d(?:[-_T.]?\d{2,6})*|\.old|\.bak)(\.[A-Za-z]+)?$/;
const MAX_NAMES = 4_000;

/** True for what is compressed: it is the past of a log that was followed while it was none. */
export function isPacked(name: string): boolean {
  return PACKED.test(name);
}

/** The name of the log that a rotated file was, such as `app.log` of `app.log.1` and `app-20261121.log`; null for others. */
export function baseOfRotated(name: string): string | null {
  const found = ROTATED.exec(name);
  return found === null ? null : `${found[1]}${found[2] ?? ''}`;
}

/** Opens a plain file for reading; null when there is none, or something else. A symbolic link only when asked for. */
export async function openPlain(path: string, followLink: boolean): Promise<{ file: FileHandle; stat: Stats } | null> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (followLink ? 0 : constants.O_NOFOLLOW);
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP' || error.code === 'ENOTDIR' || error.code === 'ENXIO')
      return null;
    throw error;
  });
  if (file === null) return null;
  const stat = await file.stat();
  if (stat.isFile()) return { file, stat };
  await file.close();
  return null;
}

/** The plain, unpacked files beside `path` whose names begin as its name does. */
async function beside(path: string): Promise<{ path: string; stat: Stats; isPast: boolean }[]> {
  const folder = dirname(path);
  const name = basename(path);
  const stem = name.replace(/\.[^.]*$/, '') || name;
  const names = await readdir(folder).catch(() => [] as string[]);
  const others = names.filter((other) => other !== name && other.startsWith(stem) && !isPacked(other));
  const found: { path: string; stat: Stats; isPast: boolean }[] = [];
  for (const other of others.slice(0, MAX_NAMES)) {
    const stat = await lstat(join(folder, other)).catch(() => null);
    if (stat?.isFile()) found.push({ path: join(folder, other), stat, isPast: baseOfRotated(other) === name });
  }
  return found;
}

/** The file a position speaks of, where rotation has put it: under another name, or as a copy with its content. Opened. */
export async function findMoved(path: string, at: Position): Promise<{ file: FileHandle; stat: Stats } | null> {
  for (const { path: there, stat, isPast } of await beside(path)) {
    // Of a copy too little must not have been read: by its content it is told from any other file.
    const isCopy = isPast && at.backBytes > 0 && stat.size >= at.offset;
    if (stat.ino !== at.ino && !isCopy) continue;
    const opened = await openPlain(there, false).catch(() => null);
    if (opened === null) continue;
    if (await fits(opened.file, at)) return opened;
    await opened.file.close();
  }
  return null;
}

/** The rotated file that was written next after one that was last written at `mtimeMs`; null when that is `path` itself. */
export async function nextMoved(path: string, mtimeMs: number): Promise<{ file: FileHandle; stat: Stats } | null> {
  const later = (await beside(path))
    .filter(({ stat, isPast }) => isPast && stat.mtimeMs > mtimeMs)
    .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs);
  return later[0] === undefined ? null : openPlain(later[0].path, false);
}
