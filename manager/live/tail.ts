import type { LinesBatch } from '../../common/wire/live.ts';
import type { SharedStore } from '../store/ports.ts';
import type { Backlog, Waiting } from './backlog.ts';
import { mergeLines } from './merge-lines.ts';
import type { Outbox } from './outbox.ts';
import { OtherPlaces, type Place, placeText } from './place.ts';
import { createTailQueue, type Entry } from './tail-queue.ts';

export interface TailCaps {
  queueLines: number;
  queueBytes: number;
}

/** One viewer's tail: waits for its backlog, then passes lines on as fast as its socket takes them. */
export interface Tail {
  readonly id: string;
  readonly socketId: string;
  /** True when a selection can be sent as it is, beside other viewers in the same step. */
  inStep(selection: Selection): boolean;
  /** The selection was sent to this viewer by the one who asked `inStep`. */
  sentInStep(selection: Selection): void;
  /** Lines of its filter were committed. */
  push(selection: Selection): void;
  /** So many lines of another manager never came; which of them its filter lets through is not known. */
  skip(lines: number): void;
  readonly waiting: Waiting;
  /** The backlog is here: it goes first, then what came meanwhile and is not in it. */
  begin(backlog: Backlog): void;
  readonly skippedTotal: number;
  readonly queued: { lines: number; bytes: number };
  stop(): void;
}

/** What one commit brought for a filter. `upTo` is the arrival number that was looked at last. */
export interface Selection {
  entries: Entry[];
  bytes: number;
  upTo: number;
  /** The same of the other managers, where they store into the same store. */
  heard: Place;
  /** True when another manager committed some of them. */
  hasPeers: boolean;
}

/** Lines of one message; more than that wait their turn even if they are there. */
export const LIMIT_BATCH_LINES = 1_000;
const LIMIT_BATCH_BYTES = 512 * 1024;
/** How much may wait for a socket that is busy, before it is given more all the same. */
const COALESCE_LINES = 500;
const COALESCE_BYTES = 256 * 1024;

export function createTail(
  { id, socketId, caps, from, others }: { id: string; socketId: string; caps: TailCaps; from: number; others: Place },
  deps: { outbox: Outbox; send(batch: LinesBatch): void; shared?: SharedStore | undefined },
): Tail {
  const { outbox, send } = deps;
  const queue = createTailQueue({ lines: caps.queueLines, bytes: caps.queueBytes });
  let live = false;
  /** The backlog, while lines that are in it can still arrive. */
  let known: Backlog | null = null;
  let knownIds: Set<string> | null = null;
  /** Lines of other managers that were missed while the backlog was read: unlike what the queue drops, not to be read again. */
  let skippedEarly = 0;
  /** Arrival number up to which the lines of the bus were looked at. */
  let upTo = from;
  /** What was heard of the other managers, and what of it this viewer was told. */
  let heard = others;
  const told = new OtherPlaces();
  // What they stored before is in the backlog, or was not asked for.
  if (deps.shared !== undefined) told.reach(deps.shared, others);
  /** In a store that other managers share the backlog may have lines that they tell later. */
  let inBacklog: Set<string> | null = null;
  let skippedTotal = 0;

  const isMuch = () => queue.length >= COALESCE_LINES || queue.bytes >= COALESCE_BYTES;

  function flush(): void {
    if (!live) return;
    while (queue.length > 0 || queue.skipped > 0) {
      // Busy: the lines that come meanwhile go together. Idle: nothing is held back.
      if (!(outbox.idle || (isMuch() && outbox.open))) return;
      const { entries, skipped } = queue.take(LIMIT_BATCH_LINES, LIMIT_BATCH_BYTES);
      skippedTotal += skipped;
      const last = entries.at(-1);
      const position = last === undefined ? upTo : queue.length === 0 ? Math.max(upTo, last.ordinal) : last.ordinal;
      if (deps.shared !== undefined) {
        const ordinals = entries.flatMap(({ peerOrdinal }) => peerOrdinal ?? []);
        told.reach(deps.shared, queue.length === 0 ? [...heard, ...ordinals] : ordinals);
      }
      const lines = mergeLines(entries.map((entry) => entry.line));
      send({ id, lines, skipped, position: placeText(position, told.list) });
      outbox.sent(entries.reduce((sum, entry) => sum + entry.bytes, 64));
    }
  }

  function isNew({ ordinal, line, isPeers, peerOrdinal }: Entry): boolean {
    if (isPeers && deps.shared !== undefined && live)
      return !(told.has(deps.shared, peerOrdinal ?? 0) || inBacklog?.has(line.id));
    // Whether our store has lines of other managers depends on the store: only the line itself tells.
    if (isPeers) {
      if (known === null) return true;
      knownIds ??= new Set(known.lines?.map(({ id }) => id));
      return !knownIds.has(line.id);
    }
    return known === null || ordinal > known.upTo || known.isMissing(line.id);
  }

  const stopWaiting = outbox.onRoom(flush);
  return {
    id,
    socketId,
    inStep: ({ entries, bytes, hasPeers }) =>
      live &&
      known === null &&
      queue.length === 0 &&
      queue.skipped === 0 &&
      entries.length <= Math.min(LIMIT_BATCH_LINES, caps.queueLines) &&
      bytes <= LIMIT_BATCH_BYTES &&
      outbox.idle &&
      // What others tell late may have been read from the store that we share with them.
      (!hasPeers || deps.shared === undefined || entries.every(isNew)),
    sentInStep(selection) {
      upTo = Math.max(upTo, selection.upTo);
      heard = selection.heard;
      if (deps.shared !== undefined) told.reach(deps.shared, heard);
      outbox.sent(selection.bytes);
    },
    push(selection) {
      for (const entry of selection.entries) {
        if (!isNew(entry)) continue;
        // One commit may bring more than the queue holds: what the socket takes is never dropped.
        if (isMuch()) flush();
        queue.push(entry);
      }
      upTo = Math.max(upTo, selection.upTo);
      heard = selection.heard;
      if (known !== null && upTo >= known.upTo) {
        known = null;
        knownIds = null;
      }
      flush();
    },
    skip(lines) {
      if (!live) skippedEarly += lines;
      else queue.skip(lines);
      flush();
    },
    begin(backlog) {
      known = backlog;
      knownIds = null;
      queue.keep(isNew);
      // A viewer that leaves now comes back behind the backlog, but before what has queued up and is not in it.
      const position = queue.length > 0 ? queue.firstOrdinal - 1 : Math.max(upTo, backlog.fresh ? 0 : backlog.upTo);
      upTo = Math.max(upTo, position);
      if (upTo >= backlog.upTo) known = null;
      skippedTotal += backlog.skipped;
      live = true;
      if (deps.shared !== undefined) {
        inBacklog = new Set(backlog.lines?.map((line) => line.id));
        told.reach(deps.shared, queue.length === 0 ? [...backlog.others, ...heard] : backlog.others);
        queue.keep(isNew);
      }
      queue.skip(skippedEarly);
      if (backlog.lines !== null) {
        const mark = backlog.fresh ? { backlog: true } : {};
        send({
          id,
          lines: mergeLines(backlog.lines),
          skipped: backlog.skipped,
          position: placeText(position, told.list),
          ...mark,
        });
        outbox.sent(backlog.bytes);
      }
      flush();
    },
    waiting: {
      overflowed: () => queue.skipped > 0,
      clear() {
        const { entries } = queue.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
        // Our own lines are read from the store; those of other managers may not be there.
        for (const entry of entries) if (entry.isPeers) queue.push(entry);
      },
    },
    get queued() {
      return { lines: queue.length, bytes: queue.bytes };
    },
    get skippedTotal() {
      return skippedTotal + queue.skipped;
    },
    stop() {
      live = false;
      stopWaiting();
    },
  };
}
