import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { KnownGroups } from '../alerts/ports.ts';
import type { Bus } from '../bus/bus.ts';
import type { LeadStore } from '../bus/redis/hold.ts';
import type { Presence } from '../bus/redis/presence.ts';
import type { Note } from '../bus/redis/wire.ts';
import { type BusNumbers, createRedisBus } from '../bus/redis-bus.ts';
import type { ManagerConfig } from '../config.ts';
import type { Log } from '../http/log.ts';
import type { LineStore, StateStore } from '../store/ports.ts';
import { type AdoptDeps, adoptersOf } from './adopt.ts';
import { createPeerGroups } from './peer-groups.ts';
import { createSharedAlerts } from './shared-alerts.ts';
import { createSharedState } from './shared-state.ts';

const MANAGER_ID = 'manager-id';
const LOOK_EVERY_MS = 5_000;
const TAKEN_LIMIT_MS = 500;
const FOLLOW_AFTER_MS = 200;

/** What of this manager the others hear of and change. */
export interface Served extends Omit<AdoptDeps, 'state' | 'bus'> {
  /** Whoever looks after the rules knows of whom lines are expected. */
  known: KnownGroups;
}

/** The other managers, where Redis joins several. */
export interface Peers {
  /** The state that the rest of this manager uses: what of it is shared is told to the others. */
  state: StateStore;
  /** Before the start: what they may change here. */
  serve(served: Served): void;
  start(): void;
  stop(): Promise<void>;
  /** How many managers are there, this one counted; null for one that is configured to be alone. */
  managers(): number | null;
  /** Null for one that is alone. */
  numbers(): BusNumbers | null;
  /** Hosts and instances of the other managers. */
  known: KnownGroups;
  /** Resolves when the others can know what was told so far, or Redis is away, and it is known anew who leads. */
  taken(): Promise<unknown>;
}

export interface PeersDeps {
  state: StateStore;
  bus: Bus;
  log: Log;
  version: string;
  lines: Pick<LineStore, 'newestOrdinal' | 'shared'>;
}

/** Joins this manager to the others, if the configuration names a Redis. It has the same id for as long as its data. */
export function createPeers({ redis, store }: ManagerConfig, deps: PeersDeps): Peers {
  const { bus, log, version } = deps;
  if (redis.url === null)
    return {
      ...{ state: deps.state, serve() {}, start() {}, stop: () => Promise.resolve(), managers: () => null },
      ...{ numbers: () => null, known: { hosts: () => [], instances: () => [] }, taken: () => Promise.resolve() },
    };
  const managerId = ownId(deps.state);
  const groups = createPeerGroups(() => performance.now());
  const tell = (kind: string) => (data: unknown) => joined.tell({ kind, data });
  const { lines } = deps;
  const ownNewest = () => (lines.shared === undefined ? lines.newestOrdinal() : null);
  const nowMs = Date.now;
  const alerts = createSharedAlerts(deps.state, { tell: tell('alerts'), ownNewest, nowMs });
  const documents = createSharedState(alerts.state, { managerId, tell: tell('document'), nowMs });
  const { state } = documents;
  let served: Served | null = null;
  let timer: NodeJS.Timeout | undefined;
  let follow: NodeJS.Timeout | undefined;
  const untold = { rules: new Set<string>(), deliveries: new Set<string>() };

  /** What the one who looks after the rules counted is read again for all that came within a moment. */
  function showNews(): void {
    follow = undefined;
    served?.alerts.follow();
    for (const id of untold.rules) bus.emit('rule', { id });
    for (const id of untold.deliveries) bus.emit('delivery', { id });
    untold.rules.clear();
    untold.deliveries.clear();
  }

  function onNote(manager: Presence, { kind, data }: Note): void {
    if (served === null) return;
    if (kind === 'document') documents.take(data, adoptersOf({ ...served, state, bus }));
    else if (kind === 'groups') groups.heard(manager.id, data);
    else if (kind === 'alerts') {
      const news = alerts.take(data);
      for (const id of news?.rules ?? []) untold.rules.add(id);
      for (const id of news?.deliveries ?? []) untold.deliveries.add(id);
      if (news !== null) follow ??= setTimeout(showNews, FOLLOW_AFTER_MS).unref();
    }
  }

  const joined = createRedisBus(
    {
      ...{ url: redis.url, username: redis.username ?? undefined, password: redis.password ?? undefined },
      ...{ prefix: redis.prefix, managerId, name: redis.name ?? hostname(), version },
      ...{ limitChars: redis.waiting, keepEntries: redis.keep },
    },
    {
      ...{ bus, log },
      // With one store below all it says who leads, from the start: not only once it is open.
      leadStore: store.engine === 'duckdb' ? null : leadOf(lines),
      listener: {
        onNote,
        onTellAll() {
          for (const document of documents.all()) tell('document')(document);
          for (const note of alerts.all()) tell('alerts')(note);
          if (served !== null) tell('groups')(groups.own(served.known).now);
        },
        onLead(leads) {
          alerts.lead(leads);
          served?.alerts.lead(leads);
          // Whoever joined while nobody led has not heard of it.
          for (const note of alerts.all()) tell('alerts')(note);
        },
      },
    },
  );

  function look(): void {
    if (served === null) return;
    const { now, isNew } = groups.own(served.known);
    if (isNew) tell('groups')(now);
    // While Redis is away the rules hear of the others by the store alone.
    if (joined.leads && joined.numbers().away === 1 && lines.shared !== undefined)
      bus.emit('peer-break', { manager: '', lines: 0 });
  }

  return {
    state,
    serve(given) {
      served = given;
      // Until it is known who looks after the rules, nobody here does.
      given.alerts.lead(false);
    },
    start() {
      joined.start();
      timer = setInterval(look, LOOK_EVERY_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      clearTimeout(follow);
      try {
        // Told before the lease is given up: whoever takes it goes on behind this.
        if (joined.leads) served?.alerts.handOver();
        let limit: NodeJS.Timeout | undefined;
        const late = new Promise((resolve) => {
          limit = setTimeout(resolve, TAKEN_LIMIT_MS);
        });
        await Promise.race([joined.taken(), late]);
        clearTimeout(limit);
      } finally {
        await joined.stop();
      }
    },
    managers: () => joined.peers().length + 1,
    numbers: joined.numbers,
    known: groups.known,
    async taken() {
      await joined.taken();
      await joined.stillLeads();
    },
  };
}

/** The lead as the store has it that the managers share; rejects as long as that is not open. */
function leadOf(lines: PeersDeps['lines']): LeadStore {
  const mustBeOpen = () => {
    if (lines.shared === undefined) throw new Error('the store of lines is not open');
    return lines.shared.lead;
  };
  return {
    hold: async (...given) => mustBeOpen().hold(...given),
    release: async (...given) => mustBeOpen().release(...given),
  };
}

function ownId({ settings }: StateStore): string {
  const known = settings.get(MANAGER_ID);
  if (known !== null) return known;
  const made = randomUUID();
  settings.put(MANAGER_ID, made);
  return made;
}
