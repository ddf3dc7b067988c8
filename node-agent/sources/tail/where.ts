import { lstat } from 'node:fs/promises';
import { BACK_BYTES } from './line-cutter.ts';
import {
  fingerprint,
  fits,
  freshPosition,
  hasNumber,
  notedPosition,
  type Opened,
  type Position,
  readAt,
} from './position.ts';
import { findMoved, firstSince, type Known, nextMoved, openPlain } from './siblings.ts';
import type { StreamSpec } from './stream-spec.ts';

/** Where reading of a log goes on. */
export interface Place {
  opened: Opened;
  position: Position;
  /** True when this is not the file at the log's own name. */
  isMoved: boolean;
  /** True when what was written before it may not have been read. */
  isLost: boolean;
}
export type Where = Place | 'gone' | 'nothing';
type Log = Pick<StreamSpec, 'path' | 'followLink' | 'firstBytes'>;

/** Finds the file in which reading goes on behind `saved`, or begins where nothing is saved. */
export async function whereToRead(log: Log, saved: Position | null, nowMs: number): Promise<Where> {
  const there = await openPlain(log.path, log.followLink);
  if (saved === null)
    return there === null
      ? 'nothing'
      : { opened: there, position: await beginning(log, there, nowMs), isMoved: false, isLost: false };
  // Of one that was gone everything was read, or told. Its number may be another's now.
  const wasGone = saved.goneMs !== undefined;
  const isOther = wasGone || (saved.bornMs !== undefined && there?.stat.birthtimeMs !== saved.bornMs);
  if (there !== null && hasNumber(there.stat, saved) && (!isOther || (await fits(there.file, saved))))
    return { opened: there, position: saved, isMoved: false, isLost: false };
  // Another file, or none, has the name: what we had not read of the old one may be beside it.
  const moved = await findMoved(log.path, saved);
  if (moved !== null) {
    await there?.file.close();
    return { opened: moved, position: saved, isMoved: true, isLost: false };
  }
  if (there === null) return 'gone';
  // Written anew as a whole under the same name, as editors and restores do.
  if (saved.backBytes > 0 && there.stat.size >= saved.offset && (await fits(there.file, saved)))
    return { opened: there, position: saved, isMoved: false, isLost: false };
  await there.file.close();
  const known = { birthtimeMs: saved.bornMs ?? 0, mtimeMs: saved.seenMs, readMs: saved.seenMs };
  const next = await nextPlace(log, known, nowMs);
  return next === null ? 'nothing' : { ...next, isLost: !wasGone };
}

/** The file behind one that was read to its end. */
export async function nextPlace(log: Log, after: Known, nowMs: number): Promise<Place | null> {
  const { opened, isMissed } = await nextMoved(log.path, after);
  const next = opened ?? (await openPlain(log.path, log.followLink));
  if (next === null) return null;
  const position = await notedPosition(log.path, next, nowMs);
  return { opened: next, position, isMoved: opened !== null, isLost: isMissed };
}

/**
 * A log that nobody has noted, or only while it was empty, may have been rotated since: the first of the files that came
 * after `sinceMs`, of those that have these names. Where none can be opened, whether one is missed.
 */
export async function unseenPlace(
  log: Log,
  names: readonly string[],
  since: { sinceMs: number; notIno: number | undefined },
  nowMs: number,
): Promise<Place | { isLost: boolean }> {
  const { opened, isMissed } = await firstSince(log.path, names, since);
  if (opened === null) return { isLost: isMissed };
  const position = await notedPosition(log.path, opened, nowMs);
  return { opened, position, isMoved: true, isLost: isMissed };
}

/** The first look at a file: not its whole past when it is older than we are, and not from the middle of a line. */
async function beginning(log: Log, opened: Opened, nowMs: number): Promise<Position> {
  const noted = await notedPosition(log.path, opened, nowMs);
  const { size } = opened.stat;
  if (size <= log.firstBytes) return noted;
  const offset = size - log.firstBytes;
  const back = await readAt(opened.file, Math.max(0, offset - BACK_BYTES), Math.min(BACK_BYTES, offset));
  const skipping = back.at(-1) !== 0x0a;
  return { ...noted, offset, skipping, back: fingerprint(back), backBytes: back.length };
}

/** As far as it can be told of a file that may not be opened: what it gets from now on is new. */
export async function closedPosition(log: Log, nowMs: number): Promise<Position | null> {
  const stat = await lstat(log.path).catch(() => null);
  if (!stat?.isFile()) return null;
  const offset = Math.max(0, stat.size - log.firstBytes);
  return { ...freshPosition(log.path, stat, nowMs), offset, skipping: offset > 0 };
}
