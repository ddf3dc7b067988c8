import type { AgentInstance } from '../../common/model/instance.ts';
import { type Ask, readDetails, readInfo, readNames, readTable, toInstance } from './domain-reader.ts';
import type { DomainDetails } from './domain-xml.ts';

/** What differs from the last time we looked. `changed` holds new ones too. */
export interface Changes {
  changed: string[];
  gone: string[];
}

/** Names of instances that are gone which are kept for the event that tells it. */
const LIMIT_FORMER = 1_000;

interface Held {
  instance: AgentInstance;
  details: DomainDetails;
}

/** The instances of one connection as last read. Reads take turns, so an older one never overwrites a newer one. */
export interface Inventory {
  list(): AgentInstance[];
  get(id: string): AgentInstance | undefined;
  /** UUID of the instance that had this name when we last looked. */
  idOf(name: string): string | undefined;
  /**
   * UUID of the instance that had this name and was found gone: its removal may be told only afterwards. Answered once.
   */
  takeFormer(name: string): string | undefined;
  /** Reads everything; the XML only of what is new or renamed, or of all with `whole`. */
  relist(whole: boolean): Promise<Changes>;
  /** Reads some again, after their names were resolved by a fresh list; reads everything when that list is not ours. */
  refreshNames(wanted: ReadonlyMap<string, { xml: boolean }>): Promise<Changes>;
  /** Reads one again; null when it is gone. */
  refresh(id: string, xml: boolean): Promise<{ instance: AgentInstance | null; changes: Changes }>;
}

export function createInventory(deps: { ask: Ask }): Inventory {
  const { ask } = deps;
  const held = new Map<string, Held>();
  const ids = new Map<string, string>();
  const former = new Map<string, string>();
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  function put(details: DomainDetails, instance: AgentInstance, changes: Changes): void {
    const old = held.get(instance.id);
    held.set(instance.id, { instance, details });
    if (old !== undefined && old.instance.name !== instance.name) forgetName(old.instance);
    ids.set(instance.name, instance.id);
    if (JSON.stringify(old?.instance) !== JSON.stringify(instance)) changes.changed.push(instance.id);
  }

  function drop(id: string, changes: Changes): void {
    const old = held.get(id);
    if (old === undefined) return;
    held.delete(id);
    forgetName(old.instance);
    changes.gone.push(id);
  }

  function forgetName(instance: AgentInstance): void {
    if (ids.get(instance.name) !== instance.id) return;
    ids.delete(instance.name);
    former.set(instance.name, instance.id);
    for (const name of former.keys()) if (former.size > LIMIT_FORMER) former.delete(name);
  }

  async function relist(whole: boolean): Promise<Changes> {
    const table = await readTable(ask);
    const changes: Changes = { changed: [], gone: [] };
    const next: { details: DomainDetails; instance: AgentInstance }[] = [];
    for (const [uuid, name] of table.names) {
      const old = held.get(uuid);
      const known = old !== undefined && old.instance.name === name && !whole ? old.details : undefined;
      const details = known ?? (await readDetails(ask, uuid));
      if (details === null) continue;
      const state = table.states.get(uuid) ?? { word: 'no state', reason: undefined };
      const autostart = table.autostart.has(uuid);
      const flags = { autostart, persistent: table.persistent.has(uuid), saved: table.saved.has(uuid) };
      next.push({ details, instance: toInstance(details, { name, state, ...flags }) });
    }
    // Nothing was touched until everything was read: a read that fails half-way leaves the last known state.
    const seen = new Set(next.map(({ instance }) => instance.id));
    for (const id of [...held.keys()]) if (!seen.has(id)) drop(id, changes);
    for (const { details, instance } of next) put(details, instance, changes);
    return changes;
  }

  async function refresh(id: string, xml: boolean): Promise<{ instance: AgentInstance | null; changes: Changes }> {
    const changes: Changes = { changed: [], gone: [] };
    const info = await readInfo(ask, id);
    const known = xml ? undefined : held.get(id)?.details;
    const details = info === null ? null : (known ?? (await readDetails(ask, id)));
    if (info === null || details === null) {
      drop(id, changes);
      return { instance: null, changes };
    }
    const { name, domainState: state, autostart, persistent, managedSave: saved } = info;
    const instance = toInstance(details, { name, state, autostart, persistent, saved });
    put(details, instance, changes);
    return { instance, changes };
  }

  async function refreshNames(wanted: ReadonlyMap<string, { xml: boolean }>): Promise<Changes> {
    const names = await readNames(ask);
    const same = names.size === held.size && [...names].every(([id, name]) => held.get(id)?.instance.name === name);
    const changes: Changes = same ? { changed: [], gone: [] } : await relist(false);
    for (const [id, name] of names) {
      const want = wanted.get(name);
      // After the re-list its state is fresh, but an old one may have been redefined in the same moment.
      if (want === undefined || (!same && !want.xml)) continue;
      const one = await refresh(id, want.xml);
      changes.changed.push(...one.changes.changed);
      changes.gone.push(...one.changes.gone);
    }
    return { changed: [...new Set(changes.changed)].filter((id) => held.has(id)), gone: [...new Set(changes.gone)] };
  }

  return {
    list: () => [...held.values()].map(({ instance }) => instance),
    get: (id) => held.get(id)?.instance,
    idOf: (name) => ids.get(name),
    takeFormer(name) {
      const id = former.get(name);
      former.delete(name);
      return id;
    },
    relist: (whole) => inTurn(() => relist(whole)),
    refresh: (id, xml) => inTurn(() => refresh(id, xml)),
    refreshNames: (wanted) => inTurn(() => refreshNames(wanted)),
  };
}
