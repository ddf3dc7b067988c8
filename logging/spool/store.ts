import { randomBytes } from 'node:crypto';
import { EMPTY_HASH, type EpochCursor } from '../../common/wire/link.ts';
import type { Failpoint } from '../failpoint.ts';
import { carryRows } from './carry.ts';
import { limitSize } from './database.ts';
import { cutGap } from './frame.ts';
import { createKept } from './keep.ts';
import { createPlaces, readPlaces } from './places.ts';
import { checkEpoch, type EpochState, type OpenSpool, openSpoolFile, type Trouble } from './recover.ts';
import { behindRow, gapOfRow, ROW_OVERHEAD_BYTES, rowOfFrame, rowOfGap, SPAN, type Totals } from './table.ts';
import { type Excess, trimOldest } from './trim.ts';
import type { AckResult, Frame, SpoolConfig } from './types.ts';

/** Hello may name 64 epochs. */
const MAX_EPOCHS = 60;

/** A frame with the times of its first and last line. */
export interface TimedFrame extends Frame {
  ts0: number | null;
  ts1: number | null;
}

/** The spool's file and what is known of it in memory. Its errors are SQLite's; the caller decides what they mean. */
export function openStore(config: SpoolConfig, failpoint: Failpoint) {
  let open: OpenSpool = openSpoolFile({ ...config, failpoint });
  let totals: Totals = { lines: 0, bytes: 0 };
  const kept = createKept(() => open.table, config.capBytes, config.now);
  const places = createPlaces(readPlaces(open.db));
  let capShare = 1;

  function countAll(): Totals {
    const sum = { lines: 0, bytes: 0 };
    for (const { no, saved } of open.epochs) {
      const { lines, bytes } = open.table.totals(no * SPAN + saved.next, (no + 1) * SPAN);
      sum.lines += lines;
      sum.bytes += bytes;
    }
    return sum;
  }

  const current = (): EpochState => open.epochs.at(-1)!;
  const find = (epoch: string) => open.epochs.find((state) => state.epoch === epoch);
  const dirtyAcks = () => open.epochs.filter(({ acked, saved }) => acked.next > saved.next);

  /**
   * Writes frames, frees what was acked, trims at the cap: one synced transaction. With `keepNothing` what was acked before
   * makes room too.
   */
  function commit(frames: TimedFrame[], keepNothing = false): void {
    const acks = dirtyAcks();
    if (acks.length > 0) failpoint('A8');
    if (frames.length > 0) failpoint('A1');
    const { no } = current();
    const after = { ...totals };
    const keptBefore = kept.bytes();
    const write = open.db.transaction(() => {
      for (const state of acks) free(state, after);
      for (const { header, body } of frames) {
        after.bytes += body.byteLength + ROW_OVERHEAD_BYTES;
        after.lines += header.gap === undefined ? header.count : 0;
      }
      // Before the new rows, so that on a full disk their place is there.
      trim(after);
      kept.trim(open.epochs, after.bytes, { grew: acks.length > 0, none: keepNothing });
      for (const frame of frames) {
        open.table.insert(rowOfFrame(no, frame, frame));
        failpoint('A3');
      }
      if (places.isDirty()) places.write(open.db);
      if (frames.length > 0) failpoint('A2');
    });
    try {
      write.immediate();
    } catch (error) {
      kept.restore(keptBefore);
      throw error;
    }
    totals = after;
    places.written();
    for (const state of acks) state.saved = state.acked;
    const last = frames.at(-1)?.header;
    if (last !== undefined) current().end = { epoch: last.epoch, next: last.first + last.count, hash: last.hash };
    forgetEmpty();
    if (last === undefined) return;
    open.mark.write(current().end);
    failpoint('A4');
  }

  /** What was acked waits no more. Its rows stay, before the cursor, while there is room: see `createKept`. */
  function free({ no, epoch, acked, saved }: EpochState, after: Totals): void {
    const { table } = open;
    table.putEpoch({ no, epoch, next: acked.next, hash: acked.hash });
    failpoint('A9');
    const low = no * SPAN;
    const last = table.lastHead(low + saved.next, low + acked.next);
    const isCut = last !== undefined && behindRow(epoch, last).next > acked.next;
    const gone = table.totals(low + saved.next, isCut ? last.key : low + acked.next);
    // An ack inside a gap: the store had taken some of its numbers before they were given up here.
    if (isCut) {
      table.remove(last.key, last.key + 1);
      table.insert(rowOfGap(no, cutGap(gapOfRow(last, 0, ''), acked.next), acked.hash, last.hash));
    }
    kept.add(gone.bytes);
    after.bytes -= gone.bytes;
    after.lines -= gone.lines;
    failpoint('A10');
  }

  function trim(after: Totals): void {
    const capBytes = config.capBytes * capShare;
    const capLines = config.capLines ?? Number.POSITIVE_INFINITY;
    if (after.bytes <= capBytes && after.lines <= capLines) return;
    // A little more than needed goes, so that a full spool does not trim at every commit.
    const excess: Excess = {
      bytes: after.bytes - capBytes + (after.bytes > capBytes ? capBytes / 64 : 0),
      lines: after.lines > capLines ? after.lines - capLines + Math.floor(capLines / 64) : Number.NEGATIVE_INFINITY,
    };
    const gone = trimOldest(open.table, open.epochs, excess, () => failpoint('A12'));
    after.bytes -= gone.bytes;
    after.lines -= gone.lines;
  }

  /** Epochs of the past of which nothing waits any more. */
  function forgetEmpty(): void {
    const empty = open.epochs.filter((state) => state !== current() && state.acked.next >= state.end.next);
    if (empty.length === 0) return;
    open.db
      .transaction(() => {
        for (const { no } of empty) drop(no);
      })
      .immediate();
    open.epochs = open.epochs.filter((state) => !empty.includes(state));
    kept.load(open.epochs);
  }

  function acked({ epoch, next, hash }: EpochCursor): AckResult {
    const state = find(epoch);
    if (state === undefined) return 'unknown';
    if (next < state.acked.next) return 'ok';
    if (next > state.end.next) return 'fork';
    const known = hashAt(state, next);
    if (known === 'inside a frame' || (known !== 'inside a gap' && known !== hash)) return 'fork';
    state.acked = { epoch, next, hash };
    return 'ok';
  }

  function hashAt(state: EpochState, next: number): string {
    if (next === state.acked.next) return state.acked.hash;
    if (next === state.end.next) return state.end.hash;
    const low = state.no * SPAN;
    const row = open.table.lastHead(low, low + next + 1);
    if (row === undefined || row.key === low + next) return row?.prev ?? state.acked.hash;
    return row.gap === null ? 'inside a frame' : 'inside a gap';
  }

  function newEpoch(carry?: string): EpochState {
    const no = Math.max(0, ...open.epochs.map((state) => state.no)) + 1;
    const at = { epoch: randomBytes(8).toString('hex'), next: 0, hash: EMPTY_HASH };
    const carried = carry === undefined ? undefined : find(carry);
    // Each has lines that wait; the oldest makes room.
    const surplus = open.epochs.slice(0, Math.max(0, open.epochs.length - MAX_EPOCHS));
    const end = open.db
      .transaction(() => {
        open.table.putEpoch({ no, ...at });
        failpoint('A5');
        for (const state of surplus) drop(state.no);
        if (carried === undefined) return at;
        const behind = carryRows(open.table, carried, { no, ...at });
        drop(carried.no);
        return behind;
      })
      .immediate();
    open.epochs = open.epochs.filter((state) => state !== carried && !surplus.includes(state));
    open.epochs.push({ no, epoch: at.epoch, saved: at, acked: at, end });
    forgetEmpty();
    totals = countAll();
    kept.load(open.epochs);
    open.mark.write(end);
    return current();
  }

  function drop(no: number): void {
    open.table.remove(no * SPAN, (no + 1) * SPAN);
    open.table.removeEpoch(no);
  }

  /** Declares altered rows of an epoch as gaps. */
  function repair(state: EpochState): Trouble[] {
    const troubles: Trouble[] = [];
    const row = { ...state.saved, no: state.no };
    state.end = checkEpoch(open.db, open.table, row, state.end, troubles, true).end;
    totals = countAll();
    return troubles;
  }

  function close(): void {
    if (!open.db.open) return;
    open.mark.close();
    open.db.close();
  }

  /** Opens the file again; with `damage` as one that was seen to be damaged. When that fails it stays closed. */
  function reopen(damage?: Error): void {
    close();
    open = openSpoolFile({ ...config, failpoint }, damage);
    places.rewrite();
    begin();
  }

  function begin(): void {
    try {
      totals = countAll();
      kept.load(open.epochs);
      // Half begun, it could number lines where the true end is not known.
      if (!open.mayGoOn) newEpoch();
    } catch (error) {
      close();
      throw error;
    }
  }

  begin();
  return {
    commit,
    acked,
    newEpoch,
    repair,
    reopen,
    isOpen: () => open.db.open,
    /** Lets the file grow no further than it is, or so many bytes; null: up to its limit. */
    stopGrowing: (floorBytes: number | null) => limitSize(open.db, floorBytes, config.maxFileBytes),
    close,
    find,
    epochs: () => open.epochs,
    table: () => open.table,
    head: () => current().end,
    totals: () => totals,
    keptBytes: kept.bytes,
    places,
    /** True when there is something to write beside frames. */
    hasMore: () => dirtyAcks().length > 0 || places.isDirty(),
    takeTroubles: () => open.troubles.splice(0),
    /** On a full disk the spool gives up its oldest eighth for the newest lines; 1 puts the cap back. */
    setCapShare: (share: number) => {
      capShare = share;
    },
    shareInUse: () => totals.bytes / config.capBytes,
  };
}
export type SpoolStore = ReturnType<typeof openStore>;
