import type { OutputEvent } from '../../common/model/compute.ts';
import type { SentEvent } from '../../common/wire/services.ts';

export interface EventQueueCaps {
  /** What may wait without having been sent; above it the oldest output goes, and a `skipped` event says so. */
  waitingBytes: number;
  /** A single event above this is not passed on: it would cost the link. */
  eventBytes: number;
}

/** The events of one session on their way to the manager. Sizes are about those on the wire. */
export interface EventQueue {
  add(tsMs: number, event: OutputEvent): void;
  /** The next ones to send, about so many bytes and at least one; empty when there is none. */
  take(limitBytes: number): SentEvent[];
  /** The manager has committed everything before `next`: it is forgotten. */
  acked(next: number): void;
  /** Nothing that was sent counts as sent any more: it goes again, under the same numbers. */
  rewind(): void;
  /** Sent and not acked. */
  readonly flightBytes: number;
  /** Number of the next event that gets one. */
  readonly next: number;
  readonly hasMore: boolean;
  readonly isEmpty: boolean;
}

interface Item {
  tsMs: number;
  event: OutputEvent;
  bytes: number;
}

const MERGE_BYTES = 64 * 1024;
const MOST_EVENTS = 1_000;
const OVERHEAD_BYTES = 96;
/** Ordered by what is missed least. */
const GIVEN_UP: readonly (readonly OutputEvent['type'][])[] = [
  ['stdout', 'stderr'],
  ['display', 'result', 'error'],
];

/**
 * An event gets its number when it is first sent and keeps it until it is acked, so what is given up before leaves no
 * hole in the numbers.
 */
export function createEventQueue(caps: EventQueueCaps): EventQueue {
  /** Numbered: `kept[i]` has the number `base + i`; the first `sent` of them are in flight. */
  let kept: Item[] = [];
  let base = 0;
  let sent = 0;
  let flightBytes = 0;
  const waiting: Item[] = [];
  let waitingBytes = 0;

  function push(item: Item): void {
    const last = waiting.at(-1);
    const merged = last === undefined ? null : mergedText(last, item);
    if (merged !== null) waiting[waiting.length - 1] = merged;
    else waiting.push(item);
    waitingBytes += item.bytes;
    while (waitingBytes > caps.waitingBytes && giveUpOldest()) {}
  }

  function giveUpOldest(): boolean {
    for (const types of GIVEN_UP) {
      const at = waiting.findIndex(({ event }) => types.includes(event.type));
      if (at < 0) continue;
      const { event, tsMs, bytes } = waiting[at]!;
      const cell = event.cell ?? 0;
      const before = waiting[at - 1]?.event;
      waitingBytes -= bytes;
      if (before?.type === 'skipped' && before.cell === cell && before.reason === REASON) {
        waiting[at - 1]!.event = { ...before, bytes: before.bytes + bytes };
        waiting.splice(at, 1);
      } else {
        waiting[at] = { tsMs, event: { type: 'skipped', cell, bytes, reason: REASON }, bytes: OVERHEAD_BYTES };
        waitingBytes += OVERHEAD_BYTES;
      }
      return true;
    }
    return false;
  }

  return {
    add(tsMs, event) {
      const bytes = sizeOf(event);
      const reason = 'this output is larger than one message may be';
      if (bytes <= caps.eventBytes) push({ tsMs, event, bytes });
      else
        push({
          tsMs,
          event: { type: 'skipped', cell: event.cell ?? 0, bytes, reason },
          bytes: OVERHEAD_BYTES,
        });
    },
    take(limitBytes) {
      const taken: SentEvent[] = [];
      for (let bytes = 0; bytes < limitBytes && taken.length < MOST_EVENTS; ) {
        if (sent === kept.length) {
          const item = waiting.shift();
          if (item === undefined) break;
          waitingBytes -= item.bytes;
          kept.push(item);
        }
        const { tsMs, event, bytes: size } = kept[sent]!;
        taken.push({ n: base + sent, tsMs, event });
        sent += 1;
        bytes += size;
        flightBytes += size;
      }
      return taken;
    },
    acked(next) {
      const count = Math.min(Math.max(0, next - base), kept.length);
      for (const { bytes } of kept.slice(0, Math.min(count, sent))) flightBytes -= bytes;
      kept = kept.slice(count);
      base += count;
      sent = Math.max(0, sent - count);
    },
    rewind() {
      sent = 0;
      flightBytes = 0;
    },
    get flightBytes() {
      return flightBytes;
    },
    get next() {
      return base + kept.length;
    },
    get hasMore() {
      return sent < kept.length || waiting.length > 0;
    },
    get isEmpty() {
      return kept.length === 0 && waiting.length === 0;
    },
  };
}

const REASON = 'the manager did not take the output in time';

function mergedText(last: Item, item: Item): Item | null {
  const [a, b] = [last.event, item.event];
  if ((a.type !== 'stdout' && a.type !== 'stderr') || (b.type !== 'stdout' && b.type !== 'stderr')) return null;
  if (a.type !== b.type || a.cell !== b.cell || last.bytes + item.bytes > MERGE_BYTES) return null;
  return { tsMs: last.tsMs, event: { ...a, text: a.text + b.text }, bytes: last.bytes + item.bytes };
}

/** About the size of an event as JSON; exact for a large one, whose escapes could make it several times as large. */
function sizeOf(event: OutputEvent): number {
  let bytes = OVERHEAD_BYTES;
  if (event.type === 'stdout' || event.type === 'stderr') bytes += event.text.length;
  else if (event.type === 'error') bytes += event.traceback.length + event.message.length;
  else if (event.type === 'result' || event.type === 'display')
    for (const value of Object.values(event.data)) bytes += value.length;
  return bytes > 512 * 1024 ? Buffer.byteLength(JSON.stringify(event)) : bytes;
}
