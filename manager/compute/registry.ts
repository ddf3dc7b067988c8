import { WebvirtError } from '../../common/errors.ts';
import type { DEATH_CAUSES, NumberedEvent, OutputEvent } from '../../common/model/compute.ts';
import type { Bus } from '../bus/bus.ts';
import type { ComputeStore, StoredComputation } from '../store/ports.ts';
import { append, type Computation, createComputation } from './computation.ts';
import type { Journal } from './journal.ts';
import type { ComputeLog } from './ports.ts';

export interface NewEvent {
  tsMs: number;
  event: OutputEvent;
}

/** Every session that is kept, and the only place where something is added to one. */
export interface Registry {
  get(id: string): Computation | undefined;
  /** Throws `not-found`. */
  mustGet(id: string): Computation;
  /** Newest first. */
  all(): Computation[];
  /** Those that have not died; of one host where it is given. */
  live(hostId?: string): Computation[];
  /** Takes a new session, stored. Throws `store-unavailable` and takes nothing then. */
  create(record: StoredComputation): Computation;
  /** Adds what happened and tells the viewers; it is stored a moment later. */
  publish(computation: Computation, events: readonly NewEvent[]): void;
  /** The same, but stored before anybody is told. Throws `store-unavailable`; then nothing has happened. */
  mustPublish(computation: Computation, event: NewEvent, opId?: { opId: string; hash: string }): void;
  /** Something else of the record changed. */
  changed(computation: Computation): void;
  /** Its last events are told by us: its host cannot. */
  die(computation: Computation, cause: (typeof DEATH_CAUSES)[number], text: string): void;
  forget(ids: readonly string[]): void;
}

export function createRegistry(deps: {
  store: ComputeStore;
  journal: Journal;
  bus: Bus;
  log: ComputeLog;
  nowMs(): number;
  monotonicMs(): number;
}): Registry {
  const { store, journal, bus, log, nowMs, monotonicMs } = deps;
  const byId = new Map<string, Computation>();
  const living = new Set<Computation>();
  for (const record of store.sessions().reverse()) {
    const computation = createComputation(record, monotonicMs());
    byId.set(record.id, computation);
    if (record.death === null) living.add(computation);
  }

  function told(computation: Computation, events: readonly NumberedEvent[]): void {
    computation.touchedMs = monotonicMs();
    if (computation.record.death !== null) living.delete(computation);
    for (const watcher of [...computation.watchers]) watcher();
    if (events.some(({ event }) => TELLING.has(event.type))) bus.emit('session', { id: computation.record.id });
  }

  function publish(computation: Computation, events: readonly NewEvent[]): void {
    const numbered = events.map(({ tsMs, event }) => append(computation, tsMs, event));
    for (const event of numbered) journal.add(computation, event);
    told(computation, numbered);
  }

  return {
    publish,
    get: (id) => byId.get(id),
    mustGet(id) {
      const computation = byId.get(id);
      if (computation === undefined)
        throw new WebvirtError('not-found', `There is no computation session ${id}, or it ended and was forgotten.`);
      return computation;
    },
    all: () => [...byId.values()].reverse(),
    live: (hostId) => (hostId === undefined ? [...living] : [...living].filter(({ record }) => record.host === hostId)),
    create(record) {
      const computation = createComputation(record, monotonicMs());
      journal.add(computation);
      mustFlush(journal, () => journal.forget(computation));
      byId.set(record.id, computation);
      living.add(computation);
      bus.emit('session', { id: record.id });
      return computation;
    },
    mustPublish(computation, { tsMs, event }, opId) {
      const { record, tail } = computation;
      const before = { ...record };
      const numbered = append(computation, tsMs, event);
      journal.add(computation, numbered);
      if (opId !== undefined) journal.addCell({ session: record.id, cell: record.cells, ...opId });
      mustFlush(journal, () => {
        Object.assign(record, before);
        tail.pop();
        journal.takeBack(computation);
      });
      told(computation, [numbered]);
    },
    changed(computation) {
      journal.add(computation);
      bus.emit('session', { id: computation.record.id });
    },
    die(computation, cause, text) {
      const { record } = computation;
      if (record.death !== null) return;
      const tsMs = nowMs();
      const running = record.runningCell;
      const ends = record.openCells.map((cell) => {
        const status = cell === running ? ('died' as const) : ('interrupted' as const);
        return { tsMs, event: { type: 'ended' as const, cell, status, elapsedMs: 0 } };
      });
      publish(computation, [...ends, { tsMs, event: { type: 'died', cell: running, death: { cause, text } } }]);
      log.warn('Computation session ended', { session: record.id, host: record.host, cause, proof: text });
    },
    forget(ids) {
      store.remove(ids);
      for (const id of ids) {
        byId.delete(id);
        bus.emit('session', { id });
      }
    },
  };
}

/** Events that change what is shown of a session beside its output. */
const TELLING: ReadonlySet<OutputEvent['type']> = new Set(['input', 'started', 'ended', 'died']);

function mustFlush(journal: Journal, undo: () => void): void {
  try {
    journal.flush();
  } catch (error) {
    undo();
    throw new WebvirtError(
      'store-unavailable',
      'The computation cannot be stored now, so it was not begun. Try again later.',
      {},
      { cause: error },
    );
  }
}
