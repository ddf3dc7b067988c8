import { z } from 'zod';
import type { AlertWrite, StateStore, StoredDelivery } from '../store/ports.ts';

const row = z.looseObject({ id: z.string() });
const writeSchema = z.object({
  termMs: z.number(),
  positions: z.array(z.looseObject({ rule: z.string(), position: z.number() })),
  watches: z.array(z.object({ rule: z.string(), group: z.string().nullable(), doc: z.string().nullable() })),
  events: z.array(row),
  deliveries: z.array(row),
  upMs: z.number(),
});
/** What the manager that looks after the rules has counted and told, as it wrote it. */
export type AlertNote = AlertWrite & { termMs: number };

export interface SharedAlerts {
  /** As the state it is made of; while this manager looks after the rules, what is written is told to the others. */
  state: StateStore;
  lead(is: boolean): void;
  /** Everything that another manager needs to go on, if this one looks after the rules. */
  all(): AlertNote[];
  /** Takes what another manager wrote: which rules something happened to, or null for one that has been replaced. */
  take(data: unknown): { rules: string[]; deliveries: string[] } | null;
}

/** Events and messages that a manager which comes new is told of; it has the ones that wait in any case. */
const LIMIT_HISTORY = 200;
const LIMIT_WAITING = 1_000;

/**
 * What rules count and tell is written by one manager at a time, and kept by all: when it goes, another goes on from
 * there. `termMs` is when it took over: what an earlier one says late is left out.
 */
export function createSharedAlerts(
  state: StateStore,
  deps: {
    tell(note: AlertNote): void;
    /** The newest arrival number of our own store; null where the managers share one, and numbers mean the same to all. */
    ownNewest(): number | null;
    nowMs: () => number;
  },
): SharedAlerts {
  const { rules, deliveries } = state;
  let leads = false;
  let termMs = 0;

  function tell(write: AlertWrite): void {
    if (leads) deps.tell({ termMs, ...write });
  }

  const none = (): AlertWrite => ({ positions: [], watches: [], events: [], deliveries: [], upMs: rules.upMs() });

  return {
    state: {
      ...state,
      rules: {
        ...rules,
        write(write) {
          rules.write(write);
          tell(write);
        },
      },
      deliveries: {
        ...deliveries,
        update(delivery) {
          deliveries.update(delivery);
          tell({ ...none(), deliveries: [delivery] });
        },
      },
    },
    lead(is) {
      if (is && !leads) termMs = Math.max(termMs + 1, deps.nowMs());
      leads = is;
    },
    all() {
      if (!leads) return [];
      const notes: AlertNote[] = rules.list().map(({ id }) => {
        const position = rules.position(id);
        const watches = rules.watches(id).map(({ group, doc }) => ({ rule: id, group, doc }));
        return { ...none(), termMs, positions: position === null ? [] : [position], watches };
      });
      const waiting = deliveries.due().flatMap(({ destination }) => deliveries.waiting(destination, LIMIT_WAITING));
      const messages = new Map<string, StoredDelivery>();
      for (const one of [...waiting, ...deliveries.list({ limit: LIMIT_HISTORY })]) messages.set(one.id, one);
      const oldestFirst = [...messages.values()].sort((a, b) => a.createdMs - b.createdMs);
      const events = rules.events({ limit: LIMIT_HISTORY }).reverse();
      notes.push({ ...none(), termMs, events, deliveries: oldestFirst });
      return notes;
    },
    take(data) {
      const note = writeSchema.parse(data) as unknown as AlertNote;
      if (note.termMs < termMs) return null;
      termMs = note.termMs;
      const newest = deps.ownNewest();
      // Of our own store the other one has heard what we told it until now: we go on behind that.
      const positions =
        newest === null ? note.positions : note.positions.map((one) => ({ ...one, position: newest, places: null }));
      rules.write({ ...note, positions });
      // What was sent, or given up, is not sent by whoever comes next.
      for (const delivery of note.deliveries) deliveries.update(delivery);
      const touched = [...note.positions, ...note.events].map(({ rule }) => rule);
      return { rules: [...new Set(touched)], deliveries: note.deliveries.map(({ id }) => id) };
    },
  };
}
