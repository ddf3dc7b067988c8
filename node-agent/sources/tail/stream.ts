import type { Stats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import type { SourceDeps } from '../source.ts';
import type { OpenFiles } from './open-files.ts';
import { createPace } from './pace.ts';
import { fingerprint, fits, freshPosition, HEAD_BYTES, type Position, readAt } from './position.ts';
import { createRecords } from './records.ts';
import type { Turn } from './rounds.ts';
import { findMoved, nextMoved, openPlain } from './siblings.ts';
import { type Skip, skipSome } from './skip.ts';
import type { StreamSpec } from './stream-spec.ts';

const CHUNK_BYTES = 64 * 1024;
/** After a rotation the old file is read for so long: its writers may not have let go of it yet. */
const GRACE_MS = 2_000;

export interface StreamDeps extends Pick<SourceDeps, 'emit' | 'places' | 'now'> {
  files: OpenFiles;
  /** Monotonic milliseconds. */
  clock(): number;
  graceMs?: number;
}

/** Follows one log through growth, rotation and truncation; what its turns read goes out with its place. */
export function createStream(spec: StreamSpec, deps: StreamDeps) {
  const graceMs = deps.graceMs ?? GRACE_MS;
  const pace = createPace(spec.linesPerSecond, deps.clock);
  const records = createRecords(spec, deps);
  let open: { file: FileHandle; ino: number } | null = null;
  let reading = false;
  let lastDataMs = deps.clock();
  /** Since when the file that is read is not the one at `path` any more. */
  let movedMs: number | null = null;
  let isGone = false;
  let skip: Skip | null = null;

  const fresh = (ino: number) => freshPosition(spec.path, ino, deps.now());

  function begin(opened: { file: FileHandle; stat: Stats }, position: Position, isMoved: boolean): FileHandle {
    open = { file: opened.file, ino: opened.stat.ino };
    const isSame = records.isLoaded() && records.position()?.ino === opened.stat.ino && position.offset > 0;
    if (!isSame) records.load({ ...position, ino: opened.stat.ino });
    movedMs = isMoved ? (movedMs ?? deps.clock()) : null;
    skip = null;
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
    const saved = records.position();
    const there = await openPlain(spec.path, spec.followLink);
    if (saved === null) {
      if (there === null) return null;
      begin(there, await beginning(there), false);
      // What is passed over stays so, also when the first line is long in coming.
      if (records.readTo() > 0) records.keep();
      return there.file;
    }
    if (there?.stat.ino === saved.ino) return begin(there, saved, false);
    // Another file, or none, has the name: what we had not read of the old one may be beside it.
    const moved = await findMoved(spec.path, saved);
    if (moved !== null) {
      await there?.file.close();
      return begin(moved, saved, true);
    }
    if (there === null) {
      isGone = true;
      if (saved.goneMs === undefined) records.learn({ goneMs: deps.now() });
      records.keep();
      return null;
    }
    // Written anew as a whole under the same name, as editors and restores do.
    if (saved.backBytes > 0 && there.stat.size >= saved.offset && (await fits(there.file, saved)))
      return begin(there, saved, false);
    await there.file.close();
    return afterLost(saved);
  }

  async function afterLost(saved: Position): Promise<FileHandle | null> {
    records.flush();
    const next = await nextOf(saved.seenMs);
    if (next === null) return null;
    begin(next, fresh(next.stat.ino), next.isMoved);
    records.tellGap('A log was rotated away; what it got last may not have been read', {
      ...{ reason: 'rotated', fromByte: saved.offset, lastReadMs: saved.seenMs },
    });
    return next.file;
  }

  async function nextOf(mtimeMs: number) {
    const moved = await nextMoved(spec.path, mtimeMs);
    if (moved !== null) return { ...moved, isMoved: true };
    const there = await openPlain(spec.path, spec.followLink);
    return there === null ? null : { ...there, isMoved: false };
  }

  /** The first look at a file: not its whole past when it is older than we are, and not from the middle of a line. */
  async function beginning({ file, stat: { ino, size } }: { file: FileHandle; stat: Stats }): Promise<Position> {
    if (size <= spec.firstBytes) return fresh(ino);
    const offset = size - spec.firstBytes;
    return { ...fresh(ino), offset, skipping: (await readAt(file, offset - 1, 1))[0] !== 0x0a };
  }

  async function turn(): Promise<Turn> {
    const waitMs = pace.waitMs();
    if (waitMs > 0) return waitMs;
    reading = true;
    try {
      const file = await current();
      if (file === null) return 'done';
      await deps.files.hold(holder);
      return await readSome(file);
    } finally {
      reading = false;
    }
  }

  /** Settles where a file begins that has no place yet, by its size now: what it gets from here on is new. */
  async function settle(): Promise<void> {
    if (records.position() !== null) return;
    reading = true;
    try {
      if ((await current()) !== null) await deps.files.hold(holder);
    } finally {
      reading = false;
    }
  }

  async function readSome(file: FileHandle): Promise<Turn> {
    const { size } = await file.stat();
    const at = records.readTo();
    if (size === at) return atEnd(file);
    const saved = records.position()!;
    if (size < at || !(await fits(file, saved))) return truncated(file, saved);
    if (skip !== null || size - at > spec.behindBytes) return skipAhead(file, size, saved);
    const bytes = await readAt(file, at, CHUNK_BYTES);
    if (saved.headBytes < HEAD_BYTES) {
      const head = await readAt(file, 0, Math.min(HEAD_BYTES, at + bytes.length));
      records.learn({ head: fingerprint(head), headBytes: head.length });
    }
    lastDataMs = deps.clock();
    pace.spend(records.take(bytes));
    return 'more';
  }

  /** The file was emptied. Where it was copied first, the copy has what we had not read. */
  async function truncated(file: FileHandle, old: Position): Promise<Turn> {
    const { ino } = await file.stat();
    const copy = await findMoved(spec.path, { ...old, ino: -1 });
    skip = null;
    if (copy === null) {
      records.flush();
      records.load(fresh(ino));
      return 'more';
    }
    await close();
    begin(copy, old, true);
    return 'more';
  }

  async function skipAhead(file: FileHandle, size: number, saved: Position): Promise<Turn> {
    skip ??= { from: saved.offset, at: saved.offset, to: size - Math.floor(spec.behindBytes / 2), lines: 0 };
    const behind = await skipSome(file, skip);
    if (behind === null) return 'more';
    const { from, lines } = skip;
    skip = null;
    records.load({ ...saved, ...behind, seenMs: deps.now() });
    records.tellGap('Lines were left out: the log grows faster than it may be read', {
      ...{ reason: 'rate', dropped: lines, droppedBytes: behind.offset - from, linesPerSecond: spec.linesPerSecond },
    });
    return 'more';
  }

  async function atEnd(file: FileHandle): Promise<Turn> {
    const againMs = records.rest(deps.clock() - lastDataMs);
    const there = await stat(spec.path).catch(() => null);
    if (there?.ino !== open?.ino || movedMs !== null) return leaveOld(file, there);
    return againMs === null ? 'done' : Math.max(1, Math.ceil(againMs));
  }

  /** What we read was moved away or deleted, and we are at its end. */
  async function leaveOld(file: FileHandle, there: Stats | null): Promise<Turn> {
    movedMs ??= deps.clock();
    const { mtimeMs, nlink } = await file.stat();
    const leftMs = movedMs + graceMs - deps.clock();
    if (leftMs > 0) return leftMs;
    if (there === null) {
      if (nlink > 0) return 'done';
      records.flush();
      isGone = true;
      records.forget();
      await close();
      return 'done';
    }
    // Nobody has written to the new one: its writer may still have the old one.
    if (there.size === 0 && nlink > 0) return 'done';
    records.flush();
    const next = await nextOf(mtimeMs);
    await close();
    movedMs = null;
    if (next !== null) begin(next, fresh(next.stat.ino), next.isMoved);
    return next === null ? 'done' : 'more';
  }

  return {
    spec,
    turn,
    settle,
    close,
    isGone: () => isGone,
    /** How long nothing was read. */
    idleMs: () => deps.clock() - lastDataMs,
  };
}
export type Stream = ReturnType<typeof createStream>;
