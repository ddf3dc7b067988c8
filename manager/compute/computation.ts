import type { NumberedEvent, OutputEvent, Session } from '../../common/model/compute.ts';
import type { StoredComputation } from '../store/ports.ts';
import { createTail, sizeOf, type Tail } from './tail.ts';

/** A session as the manager holds it. `record` is what is stored; the rest is of this run of the manager. */
export interface Computation {
  readonly record: StoredComputation;
  readonly tail: Tail;
  /** Its host has told that it lives there, over the link that is open now. */
  online: boolean;
  /** When something was last done or said in it, monotonic milliseconds. */
  touchedMs: number;
  use: { memoryBytes: number; cpuMs: number } | null;
  /** Code that was sent before the session was open: it can still be sent elsewhere. */
  unopened: { cell: number; code: string }[];
  /** Hosts that refused it, with what they said. */
  refusals: Map<string, { code: string; message: string }>;
  /** Called after events were added, in the same step. */
  readonly watchers: Set<() => void>;
  /** Everything of its agent below this number is on the disk. */
  syncedN: number;
  /** The caller named the host: it goes nowhere else. */
  pinned: boolean;
  viewers: number;
}

export function createComputation(record: StoredComputation, nowMs: number): Computation {
  return {
    record,
    tail: createTail(record.nextSeq),
    online: false,
    touchedMs: nowMs,
    use: null,
    unopened: [],
    refusals: new Map(),
    watchers: new Set(),
    syncedN: record.nextN,
    pinned: true,
    viewers: 0,
  };
}

export function stateOf({ record, online }: Computation): Session['state'] {
  if (record.death !== null) return 'dead';
  if (!online) return 'lost';
  if (!record.opened) return 'starting';
  return record.openCells.length > 0 ? 'busy' : 'idle';
}

export function presentComputation(computation: Computation): Session {
  const { record, use } = computation;
  const { id, kernel, title, host, hostName, owner, createdMs, endedMs, cells, runningCell, nextSeq, death } = record;
  return {
    ...{ id, kernel, title, host, hostName, owner, createdMs, endedMs, cells, runningCell, nextSeq, death },
    state: stateOf(computation),
    memoryBytes: death === null ? (use?.memoryBytes ?? null) : null,
    cpuMs: use?.cpuMs ?? null,
  };
}

/** Gives an event its number and changes the record by it. Tells nobody yet. */
export function append(computation: Computation, tsMs: number, event: OutputEvent): NumberedEvent {
  const { record, tail } = computation;
  const numbered = { seq: record.nextSeq, tsMs, event };
  record.nextSeq += 1;
  record.outputBytes += sizeOf(event);
  tail.push(numbered);
  if (event.type === 'input') {
    record.cells = event.cell;
    record.openCells = [...record.openCells, event.cell];
  } else if (event.type === 'started') {
    // A cell whose input a power cut took from us.
    record.cells = Math.max(record.cells, event.cell);
    record.runningCell = event.cell;
  } else if (event.type === 'ended') {
    record.openCells = record.openCells.filter((cell) => cell !== event.cell);
    if (record.runningCell === event.cell) record.runningCell = null;
  } else if (event.type === 'died') {
    record.death = event.death;
    record.endedMs = tsMs;
    record.openCells = [];
    record.runningCell = null;
    computation.unopened = [];
  }
  return numbered;
}
