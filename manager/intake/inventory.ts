import type { Host } from '../../common/model/host.ts';
import type { AgentInstance, Instance } from '../../common/model/instance.ts';
import type { StoredHost } from '../store/ports.ts';
import { createClocks } from './clocks.ts';
import { createHints } from './hints.ts';
import { type HostEntry, presentHost, restoredEntry } from './host-entry.ts';
import { InstancePlaces, type Placed } from './instance-places.ts';
import { createKeeper } from './inventory-keeper.ts';
import type { Inventory, InventoryConfig, InventoryDeps, StateMessage } from './inventory-ports.ts';

export { INVENTORY_DEFAULTS } from './inventory-ports.ts';

/** The fleet in memory, saved now and then, read again at the start: what was known is then shown as stale. */
export function createInventory(config: InventoryConfig, deps: InventoryDeps): Inventory {
  const { stores, bus, log } = deps;
  const nowMs = deps.nowMs ?? Date.now;
  const monotonicMs = deps.monotonicMs ?? (() => performance.now());
  const clocks = deps.clocks ?? createClocks({ nowMs, monotonicMs });
  const entries = new Map<string, HostEntry>();
  const places = new InstancePlaces((host) => entries.get(host)?.state === 'online');
  const busy = new Map<string, string>();
  const twins = new Set<string>();
  const hints = createHints(bus);
  const keeper = createKeeper(config, { stores, samples: deps.samples, log }, places, (id) => {
    const entry = entries.get(id);
    if (entry === undefined) return null;
    return { facts: entry.stored.facts, agentVersion: entry.stored.agentVersion, seenMs: entry.seenMs };
  });
  const restored = (stored: StoredHost) => restoredEntry(stored, nowMs(), monotonicMs());
  let timer: NodeJS.Timeout | null = null;
  let stopListening: (() => void) | null = null;

  for (const stored of stores.hosts.list()) {
    if (stored.revokedMs === null) entries.set(stored.id, restored(stored));
  }
  for (const { host, instance, changedMs } of stores.instances.list()) {
    if (entries.has(host)) places.put({ host, instance, changedMs, load: null });
  }

  function setState(entry: HostEntry, state: Host['state']): void {
    if (entry.state === state) return;
    const { id, facts } = entry.stored;
    const fields = { host: id, hostName: facts?.name ?? id, before: entry.state, now: state };
    if (state === 'online') log.info('Host is online', fields);
    else log.warn('Host does not answer as it should', fields);
    entry.state = state;
    entry.stateSinceMs = nowMs();
    places.weigh(id);
    hints.host(id);
    // Every instance says how its host is.
    for (const instance of places.idsAt(id)) hints.instance(instance, id);
  }

  function heard(hostId: string): HostEntry | undefined {
    const entry = entries.get(hostId);
    if (entry === undefined) return undefined;
    entry.heardAt = monotonicMs();
    entry.seenMs = nowMs();
    if (entry.connected && entry.state !== 'conflict') setState(entry, 'online');
    return entry;
  }

  function check(): void {
    const now = monotonicMs();
    for (const entry of entries.values()) {
      const silentMs = now - entry.heardAt;
      if (entry.state === 'online' && silentMs >= config.staleAfterMs) setState(entry, 'stale');
      if (entry.state === 'stale' && silentMs >= config.lostAfterMs) setState(entry, 'lost');
    }
  }

  function put(host: string, instance: AgentInstance): void {
    const before = places.at(host, instance.id);
    if (before !== undefined && JSON.stringify(before.instance) === JSON.stringify(instance)) return;
    places.put({ host, instance, changedMs: nowMs(), load: before?.load ?? null });
    keeper.instance(host, instance.id);
    hints.instance(instance.id, host);
    if (before?.instance.state !== instance.state) hints.host(host);
  }

  /** Two writers on one disk destroy it; only a person can say which is the right one. Said once until it ends. */
  function lookForTwins(host: string, { id, name, state }: AgentInstance): void {
    // What a job does with it is the job's to judge: in a move each host tells of its half in its own time.
    const [other] = state === 'running' && !busy.has(id) ? places.alsoRunningAt(host, id) : [];
    if (other === undefined) {
      if (places.get(id)?.host === host) twins.delete(id);
      return;
    }
    if (twins.has(id)) return;
    twins.add(id);
    log.error('An instance runs on two hosts at once', {
      ...{ instance: id, instanceName: name, host, otherHost: other },
      hostName: entries.get(host)?.stored.facts?.name ?? host,
      otherHostName: entries.get(other)?.stored.facts?.name ?? other,
    });
  }

  function remove(host: string, id: string): void {
    if (places.at(host, id) === undefined) return;
    if (places.remove(host, id)) hints.gone(id, host);
    else hints.instance(id, places.get(id)?.host ?? host);
    keeper.instance(host, id);
    hints.host(host);
  }

  function takeSamples(entry: HostEntry, message: Extract<StateMessage, { t: 'samples' }>): void {
    const tsMs = nowMs();
    for (const { id, ...load } of message.list) {
      const placed = places.at(entry.stored.id, id);
      if (placed === undefined) continue;
      placed.load = { ...load, tsMs };
      const { cpuRatio, memoryUsedBytes } = load;
      keeper.sample({ id, kind: 'instance', tsMs, cpuRatio, memoryUsedBytes });
    }
    hints.samples(entry.stored.id);
  }

  function takeHost(entry: HostEntry, message: Extract<StateMessage, { t: 'host' }>): void {
    const { id } = entry.stored;
    if (JSON.stringify(entry.stored.facts) !== JSON.stringify(message.host)) keeper.host(id);
    entry.stored = { ...entry.stored, facts: message.host };
    // Times on our own clock: an agent's may be years away.
    entry.load = message.load === null ? null : { ...message.load, tsMs: nowMs() };
    entry.spoolLines = message.spoolLines;
    clocks.told(id, message.clockMs);
    if (message.load !== null) {
      const { cpuRatio, memoryUsedBytes } = message.load;
      keeper.sample({ id, kind: 'host', tsMs: nowMs(), cpuRatio, memoryUsedBytes });
    }
    hints.host(id);
  }

  function present(placed: Placed): Instance {
    const entry = entries.get(placed.host);
    const state = entry?.state ?? 'lost';
    return {
      ...placed.instance,
      host: placed.host,
      hostName: entry?.stored.facts?.name ?? placed.host,
      hostState: state,
      stale: state !== 'online',
      changedMs: placed.changedMs,
      load: placed.load,
      busyJob: busy.get(placed.instance.id) ?? null,
    };
  }

  function reload(hostId: string): void {
    const stored = stores.hosts.get(hostId);
    const entry = entries.get(hostId);
    if (stored !== null && stored.revokedMs === null) {
      if (entry === undefined) entries.set(hostId, restored(stored));
      else if (entry.stored.address === stored.address && entry.stored.port === stored.port) return;
      else entry.stored = { ...entry.stored, address: stored.address, port: stored.port };
    } else if (entry === undefined) return;
    else {
      for (const id of places.idsAt(hostId)) remove(hostId, id);
      entries.delete(hostId);
    }
    hints.host(hostId);
  }

  const none = { instances: 0, running: 0 };
  const show = (entry: HostEntry, counts = places.counts(), { id } = entry.stored) =>
    presentHost(entry, counts.get(id) ?? none, 0 - clocks.offsetMs(id));

  return {
    hosts() {
      const counts = places.counts();
      return [...entries.values()].map((entry) => show(entry, counts));
    },
    host(id) {
      const entry = entries.get(id);
      return entry === undefined ? null : show(entry);
    },
    instances: () => [...places.all()].map(present),
    instance(id) {
      const placed = places.get(id);
      return placed === undefined ? null : present(placed);
    },
    setBusy(instanceId, jobId) {
      if (jobId === null) busy.delete(instanceId);
      else busy.set(instanceId, jobId);
      const placed = places.get(instanceId);
      if (placed !== undefined) hints.instance(instanceId, placed.host);
      if (placed !== undefined && jobId === null) lookForTwins(placed.host, placed.instance);
    },
    hello(hostId, message) {
      if (!entries.has(hostId)) reload(hostId);
      const entry = entries.get(hostId);
      if (entry === undefined) return;
      entry.connected = true;
      entry.stored = { ...entry.stored, facts: message.host, agentVersion: message.version };
      clocks.told(hostId, message.clockMs);
      heard(hostId);
      keeper.host(hostId);
      hints.host(hostId);
    },
    heard: (hostId) => void heard(hostId),
    message(hostId, message) {
      const entry = heard(hostId);
      if (entry === undefined) return;
      if (message.t === 'host') takeHost(entry, message);
      else if (message.t === 'instance') {
        put(hostId, message.instance);
        lookForTwins(hostId, message.instance);
      } else if (message.t === 'instance-gone') remove(hostId, message.id);
      else if (message.t === 'samples') takeSamples(entry, message);
      else {
        const there = new Set(message.list.map(({ id }) => id));
        for (const id of places.idsAt(hostId)) if (!there.has(id)) remove(hostId, id);
        for (const instance of message.list) {
          put(hostId, instance);
          // A host that comes back may run what was started elsewhere meanwhile.
          lookForTwins(hostId, instance);
        }
      }
    },
    closed(hostId) {
      const entry = entries.get(hostId);
      if (entry === undefined) return;
      entry.connected = false;
      keeper.host(hostId);
      if (entry.state === 'online') setState(entry, 'stale');
    },
    conflict(hostId, held) {
      const entry = entries.get(hostId);
      if (entry === undefined) return;
      if (held) setState(entry, 'conflict');
      else if (entry.state === 'conflict') setState(entry, 'stale');
    },
    reload,
    start() {
      timer = setInterval(check, config.checkEveryMs);
      timer.unref();
      keeper.start();
      // Enrolment and revocation write the record and tell it.
      stopListening = bus.on('host', ({ id }) => reload(id));
    },
    async stop() {
      stopListening?.();
      if (timer !== null) clearInterval(timer);
      await keeper.stop();
    },
  };
}
