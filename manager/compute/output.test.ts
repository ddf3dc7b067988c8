import { expect, it } from 'vitest';
import type { NumberedEvent } from '../../common/model/compute.ts';
import type { StoredComputation } from '../store/ports.ts';
import { append, createComputation } from './computation.ts';
import { createOutput } from './output.ts';

/** A session whose stored events are kept in a list; what is in memory is trimmed like the journal does. */
function world() {
  const record = {
    id: 's',
    nextSeq: 0,
    nextN: 0,
    outputBytes: 0,
    openCells: [],
    death: null,
  } as Partial<StoredComputation>;
  const computation = createComputation(record as StoredComputation, 0);
  const stored: NumberedEvent[] = [];
  const output = createOutput({
    store: { events: (_id, from, limit) => stored.slice(from, from + limit) },
    journal: { flush: () => {} },
    monotonicMs: () => 0,
  });
  return {
    ...{ computation, output, stored },
    add(count: number) {
      for (let i = 0; i < count; i += 1)
        stored.push(append(computation, 1, { type: 'stdout', cell: 1, text: 'x'.repeat(100) }));
      computation.tail.trim(computation.record.nextSeq, 1_000);
      for (const watcher of computation.watchers) watcher();
    },
    viewer(from = 0) {
      const state = { room: Number.POSITIVE_INFINITY, seqs: [] as number[], messages: 0 };
      const attachment = output.attach(computation, from, {
        hasRoom: () => state.room > 0,
        send(events) {
          state.room -= 1;
          state.messages += 1;
          state.seqs.push(...events.map(({ seq }) => seq));
        },
      });
      return { state, attachment };
    },
  };
}
const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, i) => i + from);

it('lets a viewer that reads slowly read on from the store, while the others go on', () => {
  const { add, viewer, computation } = world();
  const [fast, slow] = [viewer(), viewer()];
  slow.state.room = 1;
  fast.attachment.pump();
  slow.attachment.pump();
  add(10);
  add(5_000);
  add(10);
  expect(fast.state.seqs).toEqual(upTo(5_020));
  expect(slow.state.seqs).toEqual(upTo(10));
  slow.state.room = 2;
  slow.attachment.pump();
  slow.state.room = Number.POSITIVE_INFINITY;
  add(1);
  expect(slow.state.seqs).toEqual(upTo(5_021));
  expect(slow.state.messages).toBeLessThan(20);
  slow.attachment.detach();
  slow.attachment.detach();
  add(1);
  expect(slow.state.seqs.length).toBe(5_021);
  expect(computation.viewers).toBe(1);
});

it('sends nothing before it is begun, and begins where it was asked to', () => {
  const { add, viewer } = world();
  add(2_000);
  const late = viewer(1_990);
  add(5);
  expect(late.state.seqs).toEqual([]);
  late.attachment.pump();
  add(5);
  expect(late.state.seqs).toEqual(upTo(2_010, 1_990));
  const beyond = viewer(9_999);
  beyond.attachment.pump();
  add(1);
  expect(beyond.state.seqs).toEqual([2_010]);
});
