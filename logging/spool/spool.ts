import type { Level } from '../../common/model/line.ts';
import { noFailpoint } from '../failpoint.ts';
import { isDamage, isFull } from './database.ts';
import { createPending } from './pending.ts';
import { AlteredRow, findFrames, MissingRows, readFrames } from './read.ts';
import { createReserve } from './reserve.ts';
import { openStore, type SpoolStore } from './store.ts';
import type { Frame, ReadFrom, Spool, SpoolConfig, SpoolHooks } from './types.ts';

export type { Places } from './places.ts';
export type { AckResult, Frame, ReadFrom, Spool, SpoolConfig, SpoolHooks } from './types.ts';

/** Commits are this far apart: long enough to share a sync, short enough not to be seen; longer where each holds much. */
const pauseMs = (bytes: number) => (bytes < 16 * 1024 ? 2 : 4);
/** A disk that syncs slowly is left alone for twice as long as its last commit took. */
const MAX_PAUSE_MS = 50;
const ACK_PAUSE_MS = 200;
const RETRY_MS = { first: 100, most: 2_000 };
/** A caller that outruns the disk waits for it from here on. */
const WAIT_BYTES = 4 * 1024 * 1024;
/** While nothing can be written, this much waits in memory. */
const HOLD_BYTES = 16 * 1024 * 1024;

/** Opens the spool. Throws when its file cannot be opened at all; a damaged one is taken care of. */
export function createSpool(config: SpoolConfig, hooks: SpoolHooks = {}): Spool {
  const failpoint = hooks.failpoint ?? noFailpoint;
  const reserve = createReserve(`${config.path}.reserve`, config.capBytes, config.now);
  const store = openWithRoom();
  if (!reserve.keep() && !reserve.isThere()) store.stopGrowing(reserve.floorBytes);
  const pending = createPending(config.batchMaxLines ?? 2_000, store.head());
  const handlers = new Set<(frames: Frame[]) => void>();
  let cancelTimer: (() => void) | null = null;
  let ackTimer: NodeJS.Timeout | null = null;
  let notBefore = 0;
  let trouble: { sinceMs: number; retryMs: number; damaged: number } | null = null;
  let isClosed = false;

  /** What could be opened before a disk was full can be opened on it. */
  function openWithRoom(): SpoolStore {
    try {
      return openStore(config, failpoint);
    } catch (error) {
      if (!isFull(error) || !reserve.release()) throw error;
      return openStore(config, failpoint);
    }
  }

  function say(level: Level, message: string, fields: Record<string, unknown>): void {
    pending.add({ tsMs: config.now(), level, source: config.source ?? 'agent', message, fields });
    schedule();
  }

  function sayTroubles(): void {
    for (const { message, fields } of store.takeTroubles()) say('error', message, fields);
  }

  function schedule(): void {
    if (cancelTimer !== null || isClosed) return;
    const delayMs = notBefore - performance.now();
    const run = () => {
      cancelTimer = null;
      commit();
    };
    if (delayMs < 1) {
      const immediate = setImmediate(run);
      cancelTimer = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(run, delayMs);
      cancelTimer = () => clearTimeout(timer);
    }
  }

  function commit(): void {
    cancelTimer?.();
    cancelTimer = null;
    pending.close();
    if (pending.isEmpty() && !store.hasMore()) return;
    const started = performance.now();
    try {
      mustBeOpen();
      commitOrShrink();
    } catch (error) {
      failed(error as Error);
      return;
    }
    const took = performance.now() - started;
    notBefore = performance.now() + Math.min(MAX_PAUSE_MS, Math.max(pauseMs(pending.size()), 2 * took));
    const frames = pending.committed();
    recovered();
    if (reserve.keep()) store.stopGrowing(null);
    tell(frames);
  }

  function tell(frames: Frame[]): void {
    if (frames.length > 0) for (const handler of [...handlers]) handler(frames);
  }

  /** On a full disk the oldest lines make room for the newest ones, once per try. */
  function commitOrShrink(): void {
    try {
      store.commit(pending.frames());
    } catch (error) {
      if (!isFull(error)) throw error;
      if (store.keptBytes() > 0 && madeRoom()) return;
      if (reserve.release()) store.stopGrowing(reserve.floorBytes);
      else if (reserve.keep()) store.stopGrowing(null);
      if (store.totals().lines === 0) throw error;
      store.setCapShare((store.shareInUse() * 7) / 8);
      try {
        store.commit(pending.frames(), true);
      } finally {
        store.setCapShare(1);
      }
    }
  }

  /** What was acked and is only kept goes first. False when the disk is full all the same. */
  function madeRoom(): boolean {
    try {
      store.commit(pending.frames(), true);
      return true;
    } catch (error) {
      if (isFull(error)) return false;
      throw error;
    }
  }

  function failed(error: Error): void {
    trouble ??= { sinceMs: config.now(), retryMs: RETRY_MS.first, damaged: 0 };
    if (isDamage(error) && trouble.damaged < 3) {
      trouble.damaged += 1;
      try {
        reopen(error);
        return;
      } catch (again) {
        hooks.onTrouble?.(again as Error);
      }
    }
    hooks.onTrouble?.(error);
    if (pending.size() > HOLD_BYTES) pending.giveUpOldest(isFull(error) ? 'disk-full' : 'write-failed');
    notBefore = performance.now() + trouble.retryMs;
    trouble.retryMs = Math.min(RETRY_MS.most, trouble.retryMs * 2);
    schedule();
  }

  function recovered(): void {
    if (trouble === null) return;
    const { sinceMs, damaged } = trouble;
    trouble = null;
    if (damaged === 0) say('warn', 'Lines can be written again', { failedForMs: config.now() - sinceMs });
  }

  function reopen(damage?: Error): void {
    store.reopen(damage);
    tell(pending.rebase(store.head()));
    sayTroubles();
    schedule();
  }

  /** A reopening that failed is tried again by whoever needs the file next. */
  function mustBeOpen(): void {
    if (!store.isOpen()) reopen();
  }

  function commitLater(): void {
    ackTimer ??= setTimeout(() => {
      ackTimer = null;
      if (!isClosed) commit();
    }, ACK_PAUSE_MS);
  }

  function read(at: ReadFrom, maxBytes: number): Frame[] {
    mustBeOpen();
    for (let tries = 0; tries < 3; tries += 1) {
      const state = store.find(at.epoch);
      if (state === undefined) return [];
      try {
        return readFrames(store.table(), state, at, maxBytes);
      } catch (error) {
        if (error instanceof AlteredRow) {
          for (const { message, fields } of store.repair(state)) say('error', message, fields);
        } else if (isDamage(error) || error instanceof MissingRows) {
          reopen(error as Error);
        } else {
          throw error;
        }
      }
    }
    return [];
  }

  const spool: Spool = {
    append(line, place) {
      if (isClosed) return;
      pending.add(line);
      if (place !== undefined) store.places.set(place.name, place.value);
      if (pending.size() < WAIT_BYTES) schedule();
      else if (trouble === null) commit();
      else if (pending.size() > HOLD_BYTES) pending.giveUpOldest('write-failed');
    },
    epochs: () => store.epochs().map(({ epoch, acked, end }) => ({ epoch, first: acked.next, next: end.next })),
    read,
    find(at, maxBytes) {
      mustBeOpen();
      const state = store.find(at.epoch);
      return state === undefined ? [] : findFrames(store.table(), state, at, maxBytes);
    },
    acked(epoch, next, hash) {
      mustBeOpen();
      const result = store.acked({ epoch, next, hash });
      // It is written with the next commit; when none comes soon, for itself.
      commitLater();
      return result;
    },
    places: {
      get: store.places.get,
      names: store.places.names,
      set(name, value) {
        if (isClosed) return;
        store.places.set(name, value);
        commitLater();
      },
    },
    unwrittenBytes: () => pending.size(),
    onSpooled(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    newEpoch(reason, carry) {
      commit();
      const before = store.head();
      store.newEpoch(carry);
      pending.rebase(store.head());
      say('warn', 'A new epoch of lines begins', { reason, epoch: store.head().epoch, before: before.epoch });
    },
    waiting: () => ({ ...store.totals() }),
    flush: commit,
    close() {
      if (isClosed) return;
      commit();
      isClosed = true;
      cancelTimer?.();
      if (ackTimer !== null) clearTimeout(ackTimer);
      handlers.clear();
      store.close();
    },
  };
  sayTroubles();
  return spool;
}
