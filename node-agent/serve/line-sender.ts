import { EMPTY_HASH, type EpochCursor } from '../../common/wire/link.ts';
import type { Failpoint } from '../../logging/failpoint.ts';
import type { Frame, Spool } from '../../logging/spool/spool.ts';
import { linesMessage } from './lines-message.ts';

/** Sent and not acked, at most: what is in flight survives in the spool, and a slow store holds up nothing here. */
const WINDOW_BYTES = 8 * 1024 * 1024;
/** Backlog travels in messages of about this size; the tail travels at once, in whatever size it has. */
const BATCH_BYTES = 256 * 1024;
/**
 * Handed to the socket and not taken by the network yet, at most: state, answers and outcomes share the link, and on a
 * slow road they must not wait behind a whole window of lines.
 */
const UNSENT_BYTES = 1024 * 1024;
/** The longest pause after refusals, before its jitter: a store that is back is not waited for. */
const LONGEST_PAUSE_MS = 3_000;
const HEADER_BYTES = 250;

export type SentSpool = Pick<Spool, 'epochs' | 'read' | 'acked' | 'onSpooled' | 'newEpoch'>;

export interface LineSenderDeps {
  spool: SentSpool;
  /** Calls back when the network has taken it, or never will. */
  send(message: Buffer, onGone: () => void): void;
  failpoint: Failpoint;
  /** Does what nobody else guards (a commit of the spool, a timer): an error of it ends the link. */
  orEnd(work: () => void): void;
  /** From 0 to below 1. */
  random?: () => number;
}

interface InFlight {
  epoch: string;
  next: number;
  bytes: number;
}

/** Sends the lines of the spool over one link, oldest epoch first, each once unless the manager asks again. */
export function createLineSender({ spool, send, failpoint, orEnd, random = Math.random }: LineSenderDeps) {
  /** How far each epoch was sent on this link, and how far the manager has it. */
  const sent = new Map<string, EpochCursor>();
  const stored = new Map<string, EpochCursor>();
  let flight: InFlight[] = [];
  let flightBytes = 0;
  let unsentBytes = 0;
  /** A refusal makes it one message, each ack twice as much again: to ask a store that is behind costs little. */
  let windowBytes = WINDOW_BYTES;
  let refusals = 0;
  let pause: NodeJS.Timeout | null = null;
  let started = false;
  let stopped = false;
  const unsubscribe = spool.onSpooled((frames) => orEnd(() => onSpooled(frames)));

  const mayGo = () => started && !stopped && pause === null && flightBytes < windowBytes && unsentBytes < UNSENT_BYTES;

  function onSpooled(frames: Frame[]): void {
    const first = frames[0]!.header;
    // When all before it is sent, a fresh frame goes straight out and is not read back from the disk.
    const isNext = sent.get(first.epoch)?.next === first.first || (first.first === 0 && !sent.has(first.epoch));
    const isOnly = spool.epochs().every(({ epoch, next }) => epoch === first.epoch || sent.get(epoch)?.next === next);
    if (!mayGo() || !isNext || !isOnly) {
      pump();
      return;
    }
    for (let at = 0; at < frames.length && mayGo(); ) {
      let end = at;
      let bytes = 0;
      while (end < frames.length && (end === at || bytes < BATCH_BYTES))
        bytes += frames[end++]!.header.bytes + HEADER_BYTES;
      sendFrames(frames.slice(at, end));
      at = end;
    }
  }

  function pump(): void {
    while (mayGo()) {
      const frames = nextFrames();
      if (frames === null) return;
      sendFrames(frames);
    }
  }

  function nextFrames(): Frame[] | null {
    for (const { epoch } of spool.epochs()) {
      const at = sent.get(epoch) ?? stored.get(epoch) ?? { next: 0, hash: EMPTY_HASH };
      const frames = spool.read({ epoch, from: at.next, hash: at.hash }, BATCH_BYTES);
      if (frames.length > 0) return frames;
    }
    return null;
  }

  function sendFrames(frames: Frame[]): void {
    failpoint('A6');
    const message = linesMessage(frames);
    unsentBytes += message.length;
    send(message, () => {
      unsentBytes -= message.length;
      if (!stopped) orEnd(pump);
    });
    for (const { header } of frames) {
      const { epoch, first, count, hash, bytes } = header;
      sent.set(epoch, { epoch, next: first + count, hash });
      flight.push({ epoch, next: first + count, bytes: bytes + HEADER_BYTES });
      flightBytes += bytes + HEADER_BYTES;
    }
    failpoint('A7');
  }

  function land(keep: (frame: InFlight) => boolean): void {
    flight = flight.filter(keep);
    flightBytes = flight.reduce((sum, frame) => sum + frame.bytes, 0);
  }

  function acked(cursor: EpochCursor): void {
    const { epoch, next, hash } = cursor;
    const result = spool.acked(epoch, next, hash);
    if (result === 'fork') {
      forked('the manager has other lines under our numbers', epoch);
      return;
    }
    stored.set(epoch, cursor);
    land((frame) => frame.epoch !== epoch || frame.next > next);
  }

  /** What still waits of an epoch is numbered anew, so that no line hides behind a number that is taken. */
  function forked(reason: string, epoch: string): void {
    spool.newEpoch(reason, epoch);
    sent.delete(epoch);
    stored.delete(epoch);
    land((frame) => frame.epoch !== epoch);
  }

  return {
    /** The manager said what it has; sending begins. */
    resume(cursors: EpochCursor[]): void {
      for (const cursor of cursors) if (spool.epochs().some(({ epoch }) => epoch === cursor.epoch)) acked(cursor);
      started = true;
      pump();
    },
    acked(cursor: EpochCursor): void {
      refusals = 0;
      windowBytes = Math.min(WINDOW_BYTES, windowBytes * 2);
      acked(cursor);
      pump();
    },
    /**
     * The manager could not take lines: all of it goes again, from its cursor, after a while. Never sooner than it asked
     * for, longer each time, and not in step with other agents, which were refused in the same moment.
     */
    nacked(epoch: string, retryMs: number): void {
      sent.delete(epoch);
      land((frame) => frame.epoch !== epoch);
      windowBytes = BATCH_BYTES;
      // What else was on its way is refused with it.
      if (pause !== null) return;
      const leastMs = Math.min(60_000, Math.max(0, retryMs));
      const pauseMs = Math.max(leastMs, Math.min(LONGEST_PAUSE_MS, leastMs * 2 ** Math.min(refusals, 10)));
      refusals += 1;
      pause = setTimeout(
        () => {
          pause = null;
          orEnd(pump);
        },
        pauseMs * (1 + random() / 2),
      );
    },
    /** The manager wants a new epoch; it means the one whose frames it was sent and did not take. */
    newEpoch(reason: string): void {
      const epoch = flight[0]?.epoch ?? spool.epochs().at(-1)?.epoch;
      if (epoch !== undefined) forked(reason, epoch);
      pump();
    },
    stop(): void {
      stopped = true;
      unsubscribe();
      if (pause !== null) clearTimeout(pause);
    },
  };
}
export type LineSender = ReturnType<typeof createLineSender>;
