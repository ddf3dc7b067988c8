import { isWebvirtError } from '../../common/errors.ts';
import type { Principal } from '../../common/model/access.ts';
import type { PatchOperation } from '../../common/wire/live.ts';
import type { Bus, BusEvents } from '../bus/bus.ts';
import type { LiveLog, SharedGuard, SharedRoutes } from './ports.ts';
import { createResource, type Resource } from './resource.ts';
import { addressKey, createResourceTable, scopeOf } from './resource-table.ts';

/** Everything that is watched now. */
export interface Resources {
  /**
   * Joins the resource of an address. `onChange` hears every patch after the body that is returned, none is missed or
   * told twice. Throws the route's errors, and `forbidden`.
   */
  join(uri: string, principal: Principal, onChange: (patch: PatchOperation[]) => void): Promise<Membership>;
  readonly size: number;
  stop(): void;
}

export interface Membership {
  /** The body at this moment; call it in the step in which it is sent. */
  body(): unknown;
  leave(): void;
}

interface Entry {
  resource: Resource;
  events: readonly (keyof BusEvents)[];
  touches(event: unknown): boolean;
  /** Subscribers, and those who still wait for the first body. */
  users: number;
}

export function createResources(
  config: { gapMs: number },
  deps: {
    http: SharedRoutes;
    guard: Pick<SharedGuard, 'mustBeAllowed'>;
    bus: Bus;
    log: LiveLog;
    monotonicMs?: () => number;
  },
): Resources {
  const find = createResourceTable(deps.http);
  const entries = new Map<string, Entry>();
  const byEvent = new Map<keyof BusEvents, Set<Entry>>();
  const stops: (() => void)[] = [];

  function listen(name: keyof BusEvents): Set<Entry> {
    const known = byEvent.get(name);
    if (known !== undefined) return known;
    const watching = new Set<Entry>();
    byEvent.set(name, watching);
    stops.push(
      deps.bus.on(name, (event) => {
        for (const entry of watching) if (entry.touches(event)) entry.resource.touch();
      }),
    );
    return watching;
  }

  function open(key: string, uri: string, principal: Principal): Entry {
    const address = find(uri);
    const { route, params } = address;
    const scope = scopeOf(address, principal);
    const resource = createResource(config.gapMs, {
      monotonicMs: deps.monotonicMs ?? (() => performance.now()),
      compute: (signal) =>
        deps.http.callRoute(route, {
          params: { ...params },
          query: address.query,
          body: undefined,
          principal: scope,
          signal,
          peer: { address: '', encrypted: false },
          setCookie: () => undefined,
          cookie: () => undefined,
        }),
      onError: (error) => deps.log.error('A watched resource cannot be computed', { uri, reason: String(error) }),
    });
    const live = route.live!;
    const touches = (event: unknown) => live.touches?.(event, params) ?? true;
    const entry: Entry = { resource, events: live.on, touches, users: 0 };
    entries.set(key, entry);
    for (const name of live.on) listen(name).add(entry);
    return entry;
  }

  function release(key: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0) return;
    entry.resource.stop();
    if (entries.get(key) === entry) entries.delete(key);
    for (const name of entry.events) byEvent.get(name)?.delete(entry);
  }

  return {
    async join(uri, principal, onChange) {
      const address = find(uri);
      deps.guard.mustBeAllowed(address.route.access, principal);
      const key = addressKey(address, principal);
      const entry = entries.get(key) ?? open(key, uri, principal);
      entry.users += 1;
      const subscriber = { change: onChange };
      try {
        await entry.resource.body();
      } catch (error) {
        // The next one to ask starts anew: a fault must not stick to an address.
        if (entries.get(key) === entry) entries.delete(key);
        release(key, entry);
        if (!isWebvirtError(error)) deps.log.error('A resource cannot be read', { uri, reason: String(error) });
        throw error;
      }
      let left = false;
      return {
        body() {
          // Added in the step in which the body is read: no patch can fall between the two.
          if (!left) entry.resource.add(subscriber);
          return entry.resource.current();
        },
        leave() {
          if (left) return;
          left = true;
          entry.resource.subscribers.delete(subscriber);
          release(key, entry);
        },
      };
    },
    get size() {
      return entries.size;
    },
    stop() {
      for (const stop of stops.splice(0)) stop();
      for (const { resource } of entries.values()) resource.stop();
      entries.clear();
    },
  };
}
