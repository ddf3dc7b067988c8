import type { CommittedBatch } from '../store/ports.ts';

/** What parts of the manager tell each other. Every event is a hint: the reader asks the owner for the whole object. */
export interface BusEvents {
  host: { id: string };
  instance: { id: string; host: string };
  'instance-gone': { id: string; host: string };
  job: { id: string };
  candidate: { id: string };
  scan: { id: string };
  token: { owner: string };
  /** A saved search. */
  search: { id: string };
  /** A mark of lines that are kept. */
  keep: { id: string };
  /** A rule, or what it says. */
  rule: { id: string };
  destination: { id: string };
  delivery: { id: string };
  /** Pools, base images or networks of a host. */
  resources: { host: string };
  /** A compute session changed; its events are told by manager/compute itself. */
  session: { id: string };
  /** The compute server of a host changed. */
  compute: { host: string };
  /** Lines were stored since: the ledger reads otherwise now. Once a second at most. */
  ledger: Record<string, never>;
  /** Something came in from outside, or was refused. Once a second at most. */
  outside: Record<string, never>;
  samples: { host: string };
  /** Committed lines, in columns, in commit order. */
  lines: { batches: CommittedBatch[] };
  /** Lines that another manager committed, in its order; `ordinal` is a number of its store. */
  'peer-lines': { manager: string; batches: CommittedBatch[] };
  /** So many lines of another manager did not come here. Its store has them. */
  'peer-break': { manager: string; lines: number };
  /** A session or token ended: its sockets must be cut. */
  'credential-ended': { credentialId: string };
}

export type BusHandler<K extends keyof BusEvents> = (event: BusEvents[K]) => void;

export interface Bus {
  emit<K extends keyof BusEvents>(name: K, event: BusEvents[K]): void;
  /** Returns how to stop listening. */
  on<K extends keyof BusEvents>(name: K, handler: BusHandler<K>): () => void;
}

/** The bus inside one process. A handler that throws is reported and never keeps the others from hearing. */
export function createBus(onHandlerError: (error: unknown, event: string) => void): Bus {
  const handlers = new Map<keyof BusEvents, Set<(event: never) => void>>();
  return {
    emit(name, event) {
      for (const handler of handlers.get(name) ?? []) {
        try {
          (handler as (e: typeof event) => void)(event);
        } catch (error) {
          onHandlerError(error, name);
        }
      }
    },
    on(name, handler) {
      let set = handlers.get(name);
      if (set === undefined) {
        set = new Set();
        handlers.set(name, set);
      }
      set.add(handler as (event: never) => void);
      return () => set.delete(handler as (event: never) => void);
    },
  };
}
