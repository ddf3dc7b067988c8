import type { NumberedEvent, OutputEvent } from '../../common/model/compute.ts';

/** The newest events of a session in memory, without a hole up to the last one. Sizes are about those on the wire. */
export interface Tail {
  push(event: NumberedEvent): void;
  /** Takes the last one back. */
  pop(): void;
  /** Events from number `from` on, or null where the first of them are not here any more. */
  from(seq: number, limit: number, limitBytes: number): { events: NumberedEvent[]; bytes: number } | null;
  /** Those before this number are stored: so many bytes of them are kept at most. */
  trim(storedSeq: number, limitBytes: number): void;
}

export function createTail(nextSeq: number): Tail {
  let first = nextSeq;
  let items: { event: NumberedEvent; bytes: number }[] = [];
  let bytes = 0;
  return {
    push(event) {
      const size = sizeOf(event.event);
      items.push({ event, bytes: size });
      bytes += size;
    },
    pop() {
      bytes -= items.pop()?.bytes ?? 0;
    },
    from(seq, limit, limitBytes) {
      if (seq < first) return null;
      const events: NumberedEvent[] = [];
      let taken = 0;
      for (let i = seq - first; i < items.length && events.length < limit && taken < limitBytes; i += 1) {
        const item = items[i]!;
        events.push(item.event);
        taken += item.bytes;
      }
      return { events, bytes: taken };
    },
    trim(storedSeq, limitBytes) {
      if (bytes <= limitBytes) return;
      let cut = 0;
      while (cut < items.length && first + cut < storedSeq && bytes > limitBytes / 2) {
        bytes -= items[cut]!.bytes;
        cut += 1;
      }
      items = items.slice(cut);
      first += cut;
    },
  };
}

/** About the size of an event on the wire. */
export function sizeOf(event: OutputEvent): number {
  const base = 100;
  switch (event.type) {
    case 'stdout':
    case 'stderr':
      return base + event.text.length;
    case 'result':
    case 'display':
      return Object.values(event.data).reduce((sum, value) => sum + value.length, base);
    case 'error':
      return base + event.traceback.length + event.message.length;
    case 'input':
      return base + event.code.length;
    default:
      return base;
  }
}
