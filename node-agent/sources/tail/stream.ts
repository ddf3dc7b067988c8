import type { Stats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { createLosses } from './losses.ts';
import { createPace } from './pace.ts';
import { fingerprint, fits, HEAD_BYTES, inFile, isBlank, notedPosition, type Position, readAt } from './position.ts';
import { createRecords } from './records.ts';
import type { Turn } from './rounds.ts';
import { findMoved, hasPast } from './siblings.ts';
import { type Skip, skipSome } from './skip.ts';
import type { StreamDeps, StreamSpec } from './stream-spec.ts';
import { closedPosition, nextPlace, type Place, unseenPlace, whereToRead } from './where.ts';

const CHUNK_BYTES = 64 * 1024;
/** After a rotation the old file is read for so long: its writers may not have let go of it yet. */
const GRACE_MS = 2_000;
/** And while nobody writes to the new one, for an hour. */
const QUIET_GRACES = 1_800;

/** Follows one log through growth, rotation and truncation; what its turns read goes out with its place. */
export function createStream(spec: StreamSpec, deps: StreamDeps) {
  const graceMs = deps.graceMs ?? GRACE_MS;
  const pace = createPace(spec.linesPerSecond, deps.clock);
  const records = createRecords(spec, deps);
  const losses = createLosses(records, deps.now);
  let open: { file: FileHandle; ino: number } | null = null;
  let reading = false;
  let lastDataMs = deps.clock();
  /** Since when the file that is read is not the one at `path` any more. */
  let movedMs: number | null = null;
  let isGone = false;
  let skip: Skip | null = null;
  /** True once everything was read since this process began. */
  let wasAtEnd = false;
  /** True while there may be something to read at once. */
  let isBehind = true;
  /** Bytes that are known to wait in the file. */
  let unreadBytes = 0;
  /** Last change of the file when its content was compared: one that was written anew may be as long as before. */
  let comparedMs = -1;

  /** Goes on in a file; `sinceMs` is since when something may be lost, where it is not since it was read last. */
  function begin({ opened, position, isMoved, isLost }: Place, sinceMs?: number): FileHandle {
    const old = records.position();
    open = { file: opened.file, ino: opened.stat.ino };
    const isSame = records.isLoaded() && old?.ino === opened.stat.ino && position.offset > 0;
    if (!isSame) records.load(inFile(position, opened.stat));
    movedMs = isMoved ? (movedMs ?? deps.clock()) : null;
    skip = null;
    comparedMs = -1;
    unreadBytes = Math.max(0, opened.stat.size - records.readTo());
    if (isLost) losses.rotated(old?.offset ?? 0, sinceMs ?? old?.seenMs ?? deps.now());
    // Before any of its lines: should it be rotated while this process is not there, it is known all the same.
    else if (old?.ino !== opened.stat.ino) records.keep();
    return opened.file;
  }

  async function close(): Promise<void> {
    deps.files.drop(holder);
    const was = open;
    open = null;
    await was?.file.close();
  }
  const holder = { isFree: () => !reading, close };

  /** Opens the file where reading goes on; null when there is nothing to read. */
  async function current(): Promise<FileHandle | null> {
    if (open !== null) return open.file;
    const where = await whereToRead(spec, records.position(), deps.now());
    if (where === 'gone') gone();
    if (where === 'nothing' || where === 'gone') return null;
    if (where.isLost) records.flush();
    return begin(where);
  }

  function gone(): void {
    isGone = true;
    if (records.position()?.goneMs !== undefined) return;
    records.learn({ goneMs: deps.now() });
    if (wasAtEnd) records.keep();
    else losses.deleted(records.position()!);
  }

  async function turn(): Promise<Turn> {
    const waitMs = pace.waitMs();
    if (waitMs > 0) return waitMs;
    reading = true;
    try {
      const file = await current();
      if (file === null) {
        isBehind = false;
        return 'done';
      }
      await deps.files.hold(holder);
      return await readSome(file);
    } catch (error) {
      isBehind = false;
      // A handle may be what is broken, as after a server of files came back.
      await close().catch(() => undefined);
      throw error;
    } finally {
      reading = false;
    }
  }

  /**
   * Settles where a log begins that has no place yet, by its size now: what it gets from here on is new. `past` are the names
   * of its rotated files.
   */
  async function settle(past: readonly string[] = []): Promise<void> {
    const saved = records.position();
    if (saved !== null && past.length === 0) return;
    reading = true;
    try {
      if (await current().catch(notAllowed)) await deps.files.hold(holder);
      const sinceMs = saved === null ? (spec.unseenSinceMs ?? null) : saved.seenMs;
      const at = records.position();
      const isHere = at !== null && movedMs === null;
      if (sinceMs !== null && isHere && past.length > 0) await beginUnseen(past, { sinceMs, notIno: at.ino });
    } finally {
      reading = false;
    }
  }

  /** What may not be opened now may be allowed later: from here on, nothing of it is old. */
  async function notAllowed(error: unknown): Promise<null> {
    const place = records.position() === null ? await closedPosition(spec, deps.now()) : null;
    if (place === null) throw error;
    records.load(place);
    records.keep();
    return null;
  }

  /** A log that came and was rotated before we looked at it, or that was copied and emptied: first its past. */
  async function beginUnseen(past: readonly string[], since: { sinceMs: number; notIno: number }): Promise<void> {
    const unseen = await unseenPlace(spec, past, since, deps.now());
    if (!('opened' in unseen)) {
      if (unseen.isLost) losses.rotated(0, since.sinceMs);
      return;
    }
    await close();
    begin(unseen, since.sinceMs);
    await deps.files.hold(holder);
  }

  async function readSome(file: FileHandle): Promise<Turn> {
    const { size, mtimeMs } = await file.stat();
    const at = records.readTo();
    if (size === at && mtimeMs === comparedMs) return atEnd(file);
    const saved = records.position()!;
    isBehind = true;
    if (size < at || !(await fits(file, saved))) return truncated(file, saved);
    comparedMs = mtimeMs;
    if (size === at) return atEnd(file);
    unreadBytes = size - at;
    if (skip !== null || size - at > spec.behindBytes) return skipAhead(file, size, saved);
    const bytes = await readAt(file, at, CHUNK_BYTES);
    if (saved.headBytes < HEAD_BYTES) {
      const head = await readAt(file, 0, Math.min(HEAD_BYTES, at + bytes.length));
      records.learn({ head: fingerprint(head), headBytes: head.length });
    }
    lastDataMs = deps.clock();
    unreadBytes -= bytes.length;
    wasAtEnd ||= unreadBytes <= 0;
    pace.spend(records.take(bytes));
    return 'more';
  }

  /** The file was emptied. Where it was copied first, the copy has what we had not read. */
  async function truncated(file: FileHandle, old: Position): Promise<Turn> {
    const copy = await findMoved(spec.path, { ...old, ino: -1 });
    skip = null;
    if (copy !== null) {
      await close();
      begin({ opened: copy, position: old, isMoved: true, isLost: false });
      return 'more';
    }
    records.flush();
    const fresh = await notedPosition(spec.path, { file, stat: await file.stat() }, deps.now());
    records.load(fresh);
    // Whoever was at the end of a file that is then emptied has read all of it.
    if (wasAtEnd && unreadBytes === 0) records.keep();
    else losses.emptied(old, unreadBytes);
    unreadBytes = 0;
    return 'more';
  }

  async function skipAhead(file: FileHandle, size: number, saved: Position): Promise<'more'> {
    skip ??= { from: saved.offset, at: saved.offset, to: size - Math.floor(spec.behindBytes / 2), lines: 0 };
    const behind = await skipSome(file, skip);
    if (behind === null) return 'more';
    records.load({ ...saved, ...behind, seenMs: deps.now() });
    losses.behind(skip, behind, spec.linesPerSecond);
    skip = null;
    return 'more';
  }

  async function atEnd(file: FileHandle): Promise<Turn> {
    wasAtEnd = true;
    isBehind = false;
    unreadBytes = 0;
    const againMs = records.rest(deps.clock() - lastDataMs);
    const there = await stat(spec.path).catch(() => null);
    if (there?.ino !== open?.ino || movedMs !== null) return leaveOld(file, there);
    return againMs === null ? 'done' : Math.max(1, Math.ceil(againMs));
  }

  /** What we read was moved away or deleted, and we are at its end. */
  async function leaveOld(file: FileHandle, there: Stats | null): Promise<Turn> {
    movedMs ??= deps.clock();
    const old = await file.stat();
    const leftMs = movedMs + graceMs - deps.clock();
    if (leftMs > 0) return leftMs;
    if (there === null) {
      if (old.nlink > 0) return 'done';
      records.flush();
      isGone = true;
      // Rotated files of it are known by its place as long as they are there.
      if (await hasPast(spec.path)) {
        records.learn({ goneMs: deps.now() });
        records.keep();
      } else records.forget();
      await close();
      return 'done';
    }
    // Nobody has written to the new one: its writer may still have the old one.
    if (there.size === 0 && old.nlink > 0 && deps.clock() - movedMs < QUIET_GRACES * graceMs) return 'done';
    records.flush();
    const next = await nextPlace(spec, old, deps.now());
    await close();
    movedMs = null;
    if (next !== null) begin(next);
    // Something else has the name, and of the old one everything was read: a file that comes later is another.
    else if (old.nlink === 0) gone();
    return next === null ? 'done' : 'more';
  }

  return {
    spec,
    turn,
    /** True when nothing is known of the log yet, or only that it is there: then it is to be settled. */
    isUnsettled: () => isBlank(records.position()),
    settle,
    close,
    isGone: () => isGone,
    /** How long nothing was read, by one who is at the end; else 0. */
    idleMs: () => (isBehind ? 0 : deps.clock() - lastDataMs),
  };
}
export type Stream = ReturnType<typeof createStream>;
