import type { NumberedEvent } from '../../common/model/compute.ts';
import type { ComputeStore, StoredCell } from '../store/ports.ts';
import type { Computation } from './computation.ts';
import type { ComputeLog } from './ports.ts';

const RETRY_MS = 1_000;
/**
 * Writing keeps this process busy, and must not stand between the events of a short cell. Until it is done nothing is
 * acked, so what a kill loses comes again.
 */
const GATHER_MS = 8;
/** Of a session that somebody may watch, so much stays in memory. */
const TAIL_BYTES = 512 * 1024;

/** What is to be written, in groups: everything of a few milliseconds is one transaction, and shares a sync. */
export interface Journal {
  /** The record changed, and this happened in it; written a moment later. */
  add(computation: Computation, event?: NumberedEvent): void;
  addCell(cell: StoredCell): void;
  /** Writes now what waits. Throws what the store says; nothing is lost then, and it is tried again. */
  flush(): void;
  /** After `flush` threw: takes back the event of a session that was added last, with its cell. */
  takeBack(computation: Computation): void;
  /** After `flush` threw: a session that was to be new is not to be stored at all. */
  forget(computation: Computation): void;
  /** Writes and syncs what waits. */
  stop(): Promise<void>;
}

export function createJournal(deps: {
  store: Pick<ComputeStore, 'write' | 'sync'>;
  /** Everything of these sessions below this number of their agents is on the disk. */
  onSynced(nextN: ReadonlyMap<string, number>): void;
  log: ComputeLog;
}): Journal {
  const { store, onSynced, log } = deps;
  let dirty = new Map<Computation, NumberedEvent[]>();
  let cells: StoredCell[] = [];
  let unsynced = new Map<string, number>();
  let planned: NodeJS.Timeout | null = null;
  let retry: NodeJS.Timeout | null = null;
  let syncing: Promise<void> | null = null;
  let failing = false;

  function plan(): void {
    if (planned !== null || retry !== null) return;
    planned = setTimeout(() => {
      planned = null;
      orLater(flush);
    }, GATHER_MS);
  }

  function orLater(work: () => void): void {
    try {
      work();
    } catch (error) {
      failed(error);
    }
  }

  function failed(error: unknown): void {
    if (!failing) log.error('Computations cannot be stored now; it is tried again', { reason: String(error) });
    failing = true;
    retry ??= setTimeout(() => {
      retry = null;
      orLater(flush);
      if (retry === null) sync();
    }, RETRY_MS);
    retry.unref();
  }

  function flush(): void {
    if (dirty.size === 0 && cells.length === 0) return;
    const sessions = [...dirty.keys()];
    store.write({
      sessions: sessions.map(({ record }) => record),
      events: [...dirty].flatMap(([{ record }, list]) => (list.length === 0 ? [] : [{ session: record.id, list }])),
      cells,
    });
    dirty = new Map();
    cells = [];
    for (const { record, tail } of sessions) {
      unsynced.set(record.id, record.nextN);
      tail.trim(record.nextSeq, record.death === null ? TAIL_BYTES : 0);
    }
    if (failing) log.info('Computations can be stored again', {});
    failing = false;
    sync();
  }

  function sync(): void {
    if (syncing !== null || unsynced.size === 0) return;
    const batch = unsynced;
    unsynced = new Map();
    syncing = store.sync().then(
      () => {
        syncing = null;
        onSynced(batch);
        sync();
      },
      (error: unknown) => {
        syncing = null;
        // Not known to be on the disk: it is not acked before a later sync says so.
        for (const [id, nextN] of batch) if (!unsynced.has(id)) unsynced.set(id, nextN);
        failed(error);
      },
    );
  }

  return {
    add(computation, event) {
      const events = dirty.get(computation) ?? [];
      dirty.set(computation, events);
      if (event !== undefined) events.push(event);
      plan();
    },
    addCell: (cell) => void cells.push(cell),
    flush,
    takeBack(computation) {
      const { id, cells: last } = computation.record;
      dirty.get(computation)?.pop();
      cells = cells.filter(({ session, cell }) => session !== id || cell <= last);
    },
    forget: (computation) => void dirty.delete(computation),
    async stop() {
      if (planned !== null) clearTimeout(planned);
      if (retry !== null) clearTimeout(retry);
      orLater(flush);
      if (retry !== null) clearTimeout(retry);
      await syncing;
    },
  };
}
