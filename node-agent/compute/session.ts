import type { Death, OutputEvent } from '../../common/model/compute.ts';
import type { Level, NewLine } from '../../common/model/line.ts';
import { createEventQueue, type EventQueue, type EventQueueCaps } from './event-queue.ts';

export interface SessionDeps {
  emit(line: NewLine): void;
  now(): number;
}

/** A computation session on this host, as the agent keeps it: until the manager has its last event. */
export interface Session {
  readonly id: string;
  readonly kernel: string;
  readonly queue: EventQueue;
  readonly state: 'opening' | 'open' | 'dead';
  /** Number of the last cell that came from the manager. */
  readonly lastCell: number;
  opened(): void;
  /** True for a cell that did not come before: a cell never runs twice. */
  takesCell(cell: number): boolean;
  /** What the server tells of it; after its death nothing is taken any more. */
  event(tsMs: number, event: OutputEvent): void;
  /** It died without the server being able to say so. */
  die(death: Death): void;
}

/** Deaths that somebody asked for, or that rules of the house bring. */
const CALM: readonly Death['cause'][] = ['terminated', 'idle', 'exit', 'life-time'];

export function createSession(
  { id, kernel, owner, caps }: { id: string; kernel: string; owner: string; caps: EventQueueCaps },
  { emit, now }: SessionDeps,
): Session {
  const queue = createEventQueue(caps);
  const askedMs = now();
  let state: Session['state'] = 'opening';
  let lastCell = 0;
  /** Cells that have not ended, with the time at which they began. */
  const open = new Map<number, number | null>();

  /** By our own clock: lines are shown by time, and must keep the order in which we learnt of things. */
  function say(level: Level, message: string, fields: Record<string, unknown>): void {
    emit({ tsMs: now(), level, source: 'compute', session: id, message, fields });
  }

  function note(tsMs: number, event: OutputEvent): void {
    if (event.type === 'started') {
      open.set(event.cell, tsMs);
      say('info', 'Cell begun', { cell: event.cell });
    } else if (event.type === 'ended') {
      open.delete(event.cell);
      const { cell, status, elapsedMs } = event;
      say(status === 'died' ? 'warn' : 'info', 'Cell ended', { cell, status, ms: Math.round(elapsedMs) });
    } else if (event.type === 'died') {
      state = 'dead';
      const { cause, text } = event.death;
      say(CALM.includes(cause) ? 'info' : 'warn', 'Computation session ended', { cause, proof: text });
    }
  }

  function event(tsMs: number, one: OutputEvent): void {
    if (state === 'dead') return;
    note(tsMs, one);
    queue.add(tsMs, one);
  }

  return {
    ...{ id, kernel, queue, event },
    get state() {
      return state;
    },
    get lastCell() {
      return lastCell;
    },
    opened() {
      if (state !== 'opening') return;
      state = 'open';
      say('info', 'Computation session opened', { kernel, owner, ms: now() - askedMs });
    },
    takesCell(cell) {
      if (state === 'dead' || cell <= lastCell) return false;
      lastCell = cell;
      open.set(cell, null);
      return true;
    },
    die(death) {
      const tsMs = now();
      let running: number | null = null;
      for (const [cell, startedMs] of [...open]) {
        if (startedMs !== null) running = cell;
        const status = startedMs === null ? ('interrupted' as const) : ('died' as const);
        event(tsMs, { type: 'ended', cell, status, elapsedMs: startedMs === null ? 0 : tsMs - startedMs });
      }
      event(tsMs, { type: 'died', cell: running, death });
    },
  };
}
