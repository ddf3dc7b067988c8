import type { NumberedEvent } from '../../common/model/compute.ts';
import type { ComputeStore } from '../store/ports.ts';
import { type Computation, presentComputation } from './computation.ts';
import type { Journal } from './journal.ts';
import type { Attachment, Viewer } from './ports.ts';
import { sizeOf } from './tail.ts';

/** What one message to a viewer holds at most. */
const MESSAGE_EVENTS = 1_000;
const MESSAGE_BYTES = 256 * 1024;
const RETRY_MS = 1_000;

/** The output of sessions for whoever reads it: from memory where it is there, else from the store. */
export interface Output {
  /** Events from number `from` on, without a hole. */
  read(
    computation: Computation,
    from: number,
    limit: number,
    limitBytes: number,
  ): { events: NumberedEvent[]; bytes: number };
  /** Everything from the beginning. */
  whole(computation: Computation): NumberedEvent[];
  /** Watches it from number `from` on: each viewer goes on in its own pace. */
  attach(computation: Computation, from: number, viewer: Viewer): Attachment;
}

export function createOutput(deps: {
  store: Pick<ComputeStore, 'events'>;
  journal: Pick<Journal, 'flush'>;
  monotonicMs(): number;
}): Output {
  const { store, journal, monotonicMs } = deps;

  const read: Output['read'] = (computation, from, limit, limitBytes) => {
    const recent = computation.tail.from(from, limit, limitBytes);
    if (recent !== null) return recent;
    // What waits to be written is needed now.
    journal.flush();
    const events = store.events(computation.record.id, from, limit, limitBytes);
    return { events, bytes: events.reduce((sum, { event }) => sum + sizeOf(event), 0) };
  };

  return {
    read,
    whole(computation) {
      const all: NumberedEvent[] = [];
      while (all.length < computation.record.nextSeq) {
        const { events } = read(computation, all.length, 10_000, Number.POSITIVE_INFINITY);
        if (events.length === 0) break;
        for (const event of events) all.push(event);
      }
      return all;
    },
    attach(computation, from, viewer) {
      let next = Math.min(from, computation.record.nextSeq);
      let attached = true;
      let begun = false;
      let retry: NodeJS.Timeout | null = null;
      function pump(): void {
        try {
          while (attached && begun && next < computation.record.nextSeq && viewer.hasRoom()) {
            const { events, bytes } = read(computation, next, MESSAGE_EVENTS, MESSAGE_BYTES);
            if (events.length === 0) return;
            next += events.length;
            viewer.send(events, bytes);
          }
        } catch {
          // The store cannot be read now, which its writers tell. This viewer waits; whoever added events does not.
          retry ??= setTimeout(() => {
            retry = null;
            pump();
          }, RETRY_MS);
          retry.unref();
        }
      }
      computation.watchers.add(pump);
      computation.viewers += 1;
      computation.touchedMs = monotonicMs();
      return {
        session: presentComputation(computation),
        firstSeq: 0,
        nextSeq: computation.record.nextSeq,
        pump() {
          begun = true;
          pump();
        },
        detach() {
          if (!attached) return;
          attached = false;
          if (retry !== null) clearTimeout(retry);
          computation.watchers.delete(pump);
          computation.viewers -= 1;
          computation.touchedMs = monotonicMs();
        },
      };
    },
  };
}
