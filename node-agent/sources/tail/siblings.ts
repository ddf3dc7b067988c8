import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fits, hasNumber, isBlank, type Opened, type Position } from './position.ts';

const PACKED = /\.(?:gz|xz|zst|bz2|lz4|lzma|Z|zip)$/;
/** What rotation puts behind a name, or between it and `.log`: `.1`, `-20261121`, `.2026-11-21`, `.old`. */
const ROTATED = /^(.+?)(\.\d{1,4}|[-._]\d{4}-?\d\d-?\d\d(?:[-_T.]?\d{2,6})*|\.old|\.bak)(\.[A-Za-z]+)?$/;
const MAX_NAMES = 4_000;
/** The kernel's clock for files goes on in steps of a few milliseconds. */
const FILE_CLOCK_MS = 50;

/** True for what is compressed: it is the past of a log that was followed while it was none. */
export function isPacked(name: string): boolean {
  return PACKED.test(name);
}

/** The name of the log that a rotated file was, such as `app.log` of `app.log.1` and `app-20261121.log`; null for others. */
export function baseOfRotated(name: string): string | null {
  const found = ROTATED.exec(name);
  return found === null ? null : `${found[1]}${found[3] ?? ''}`;
}

/** Opens a plain file for reading; null when there is none, or something else. A symbolic link only when asked for. */
export async function openPlain(path: string, followLink: boolean): Promise<Opened | null> {
  const flags =
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (followLink ? 0 : constants.O_NOFOLLOW);
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

interface Sibling {
  path: string;
  stat: Stats;
  /** True when its name is that of the log, rotated. */
  isPast: boolean;
  isPacked: boolean;
}

/** The plain files of these names; links and what has just gone are none. */
async function look(path: string, names: readonly string[]): Promise<Sibling[]> {
  const found: Sibling[] = [];
  for (const name of names.slice(0, MAX_NAMES)) {
    const there = join(dirname(path), name);
    const stat = await lstat(there).catch(() => null);
    const plain = name.replace(PACKED, '');
    const isPast = baseOfRotated(plain) === basename(path);
    if (stat?.isFile()) found.push({ path: there, stat, isPast, isPacked: isPacked(name) });
  }
  return found;
}

/** The files beside `path` whose names begin as its name does. */
async function beside(path: string): Promise<Sibling[]> {
  const name = basename(path);
  const stem = name.replace(/\.[^.]*$/, '') || name;
  const names = await readdir(dirname(path)).catch(() => [] as string[]);
  return look(
    path,
    names.filter((other) => other !== name && other.startsWith(stem)),
  );
}

const bornMs = ({ birthtimeMs, mtimeMs }: Stats) => (birthtimeMs > 0 ? birthtimeMs : mtimeMs);
const byAge = (a: Sibling, b: Sibling) => bornMs(a.stat) - bornMs(b.stat);

/** The file a position speaks of, where rotation has put it: under another name, or as a copy with its content. Opened. */
export async function findMoved(path: string, at: Position): Promise<Opened | null> {
  for (const { path: there, stat, isPast, isPacked } of await beside(path)) {
    if (isPacked) continue;
    // Of a copy too little must not have been read: by its content it is told from any other file. Where only the beginning
    // is known, which may be a banner that all of them have, it must be younger than what we know.
    const isKnown = at.backBytes > 0 || (!isBlank(at) && bornMs(stat) > at.seenMs - FILE_CLOCK_MS);
    const isCopy = isPast && isKnown && stat.size >= at.offset;
    if (!hasNumber(stat, at) && !isCopy) continue;
    const opened = await openPlain(there, false).catch(() => null);
    if (opened === null) continue;
    if (await fits(opened.file, at)) return opened;
    await opened.file.close();
  }
  return null;
}

/** A rotated file to read on in; null for the log itself. `isMissed`: one before it is compressed, or has just gone. */
export interface Next {
  opened: Opened | null;
  isMissed: boolean;
}

async function firstOf(list: readonly Sibling[]): Promise<Next> {
  let isMissed = false;
  for (const one of list) {
    const opened = one.isPacked ? null : await openPlain(one.path, false).catch(() => null);
    if (opened !== null) return { opened, isMissed };
    isMissed = true;
  }
  return { opened: null, isMissed };
}

/** What is known of a file that was read: when it was made and written last; of one that is lost, when it was read last. */
export interface Known {
  birthtimeMs: number;
  mtimeMs: number;
  readMs?: number;
}

/**
 * The rotated file that was made next after another, by the times at which they were made: writers that let go of a file late
 * change the times of writing, and what their names say differs. Only where a file system does not tell, by the times of writing.
 */
export async function nextMoved(path: string, after: Known): Promise<Next> {
  const isLater = ({ birthtimeMs, mtimeMs }: Stats) =>
    after.birthtimeMs > 0 && birthtimeMs > 0
      ? // One that was only unpacked was made late, and is old.
        birthtimeMs > after.birthtimeMs && mtimeMs >= after.birthtimeMs
      : mtimeMs > after.mtimeMs;
  const isUnread = ({ mtimeMs }: Stats) => mtimeMs > (after.readMs ?? 0);
  const past = (await beside(path)).filter(
    ({ isPast, isPacked, stat }) => isPast && !isPacked && isLater(stat) && isUnread(stat),
  );
  return firstOf(past.sort(byAge));
}

/** The oldest of the rotated files of a log that were made after `sinceMs`, of those that have these names. */
export async function firstSince(
  path: string,
  names: readonly string[],
  since: { sinceMs: number; notIno: number | undefined },
): Promise<Next> {
  const young = (await look(path, names)).filter(
    ({ stat }) => stat.ino !== since.notIno && bornMs(stat) > since.sinceMs - FILE_CLOCK_MS,
  );
  return firstOf(young.sort(byAge));
}

/** True when rotated files of this log are beside its place. */
export async function hasPast(path: string): Promise<boolean> {
  return (await beside(path)).some(({ isPast, isPacked }) => isPast && !isPacked);
}

/** Names in a folder by the log that they are the past of, compressed or not. */
export async function pastNames(folder: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    const base = baseOfRotated(name.replace(PACKED, ''));
    if (base === null) continue;
    const list = found.get(base);
    if (list === undefined) found.set(base, [name]);
    else list.push(name);
  }
  return found;
}
