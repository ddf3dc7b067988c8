import type { AgentServiceMessage } from '../../common/wire/services.ts';
import type { Bus } from '../bus/bus.ts';
import type { ComputeStore } from '../store/ports.ts';
import type { Completions } from './completions.ts';
import type { Computation } from './computation.ts';
import type { ComputeConfig, ComputeLink, ComputeLog } from './ports.ts';
import type { NewEvent, Registry } from './registry.ts';
import type { Requests } from './requests.ts';
import type { Servers } from './servers.ts';

const MIB = 1024 ** 2;

type Take<T extends AgentServiceMessage['t']> = Extract<AgentServiceMessage, { t: T }>;

/** What the links need of computations: `HostService` of manager/links/services.ts. */
export interface ComputeHostService {
  kinds: readonly AgentServiceMessage['t'][];
  take(hostId: string, message: AgentServiceMessage): void;
  down(hostId: string): void;
}

/** What agents tell of computations. */
export function createHostSide(
  config: Pick<ComputeConfig, 'sessionBytes'>,
  deps: {
    registry: Registry;
    requests: Requests;
    servers: Servers;
    completions: Completions;
    store: Pick<ComputeStore, 'inputs'>;
    link: ComputeLink;
    bus: Bus;
    log: ComputeLog;
  },
): ComputeHostService {
  const { registry, requests, servers, completions, store, link, bus, log } = deps;

  /** A new link: what is not in the list has died with the agent, what we do not know is ended. */
  function sessions(hostId: string, { list }: Take<'compute-sessions'>): void {
    const there = new Map(list.map((one) => [one.session, one]));
    for (const computation of registry.live(hostId)) {
      const found = there.get(computation.record.id);
      if (found !== undefined) back(computation, found.cells);
      else
        registry.die(
          computation,
          'agent-gone',
          `The agent of ${computation.record.hostName} was started anew or never got it; it is not run again`,
        );
      there.delete(computation.record.id);
    }
    for (const { session, next } of there.values()) {
      link.send(hostId, { t: 'compute-ack', session, next });
      const reason = 'the manager does not know this session';
      link.send(hostId, { t: 'compute', session, request: { op: 'terminate', reason } });
    }
    servers.ready(hostId);
    bus.emit('compute', { host: hostId });
  }

  function back(computation: Computation, cells: number | undefined): void {
    const { record, syncedN } = computation;
    computation.online = true;
    link.send(record.host, { t: 'compute-ack', session: record.id, next: syncedN });
    // Cells that were lost on their way with the link have not run: they are sent again.
    if (cells !== undefined && record.openCells.some((cell) => cell > cells))
      for (const { cell, code } of store.inputs(record.id, cells))
        requests.send(computation, { op: 'execute', cell, code });
    if (record.ending !== null) requests.send(computation, { op: 'terminate', reason: record.ending });
    bus.emit('session', { id: record.id });
  }

  function opened(computation: Computation, { error }: Take<'compute-opened'>): void {
    const { record } = computation;
    if (error === null) {
      if (record.opened) return;
      record.opened = true;
      computation.unopened = [];
      registry.changed(computation);
      return;
    }
    if (record.opened) return;
    computation.refusals.set(record.host, error);
    const text = `Host ${record.hostName} refused it: ${error.message}`;
    log.info('A host refused a computation session', { session: record.id, host: record.host, reason: error.message });
    if (record.ending !== null) registry.die(computation, 'terminated', `Ended on request: ${record.ending}.`);
    else if (computation.pinned) registry.die(computation, 'refused', text);
    else elsewhere(computation, text);
  }

  /** Nothing of it ran, so the next best host may have it. */
  function elsewhere(computation: Computation, text: string): void {
    const { record, unopened } = computation;
    try {
      const place = servers.choose({ kernel: record.kernel, not: (id) => computation.refusals.has(id) });
      record.host = place.id;
      record.hostName = place.name;
      registry.changed(computation);
      requests.send(computation, { op: 'open', kernel: record.kernel, owner: record.owner });
      for (const { cell, code } of unopened) requests.send(computation, { op: 'execute', cell, code });
    } catch {
      registry.die(computation, 'refused', text);
    }
  }

  function events(computation: Computation, list: Take<'compute-events'>['events']): void {
    const { record } = computation;
    const fresh: NewEvent[] = [];
    for (const { n, tsMs, event } of list) {
      // A replay is cut at what is here already.
      if (n < record.nextN) continue;
      if (n > record.nextN) {
        const reason = `${n - record.nextN} events of its host did not arrive`;
        fresh.push({ tsMs, event: { type: 'skipped', cell: record.runningCell ?? 0, bytes: 0, reason } });
        log.error('Events of a computation are missing', { session: record.id, from: record.nextN, to: n - 1 });
      }
      record.nextN = n + 1;
      // What was typed is told by us alone.
      if (event.type !== 'input') fresh.push({ tsMs, event });
    }
    record.opened = true;
    registry.publish(computation, fresh);
    const { lastCell, ending, death } = record;
    if (ending !== null || death !== null) return;
    if (lastCell !== null && record.cells >= lastCell && !record.openCells.includes(lastCell))
      requests.end(computation, 'its run is over');
    else if (record.outputBytes > config.sessionBytes)
      requests.end(
        computation,
        `its output is above ${Math.round(config.sessionBytes / MIB)} MiB, the limit for a session`,
      );
  }

  function ofSession(hostId: string, message: Take<'compute-opened' | 'compute-events' | 'compute-completed'>): void {
    const computation = registry.get(message.session);
    if (computation === undefined || computation.record.death !== null || computation.record.host !== hostId) {
      const last = message.t === 'compute-events' ? message.events.at(-1) : undefined;
      // Nobody waits for them; without an ack they would be sent for ever.
      if (last !== undefined) link.send(hostId, { t: 'compute-ack', session: message.session, next: last.n + 1 });
    } else if (message.t === 'compute-events') events(computation, message.events);
    else if (message.t === 'compute-opened') opened(computation, message);
    else completions.answered(message);
  }

  return {
    kinds: [
      'compute-server',
      'compute-sessions',
      'compute-opened',
      'compute-events',
      'compute-use',
      'compute-completed',
    ],
    take(hostId, message) {
      if (message.t === 'compute-server') {
        servers.told(hostId, message.server);
        bus.emit('compute', { host: hostId });
      } else if (message.t === 'compute-sessions') sessions(hostId, message);
      else if (message.t === 'compute-use') {
        for (const { session, memoryBytes, cpuMs } of message.list) {
          const computation = registry.get(session);
          if (computation?.record.host !== hostId || computation.record.death !== null) continue;
          computation.use = { memoryBytes, cpuMs };
          bus.emit('session', { id: session });
        }
      } else if (
        message.t === 'compute-opened' ||
        message.t === 'compute-events' ||
        message.t === 'compute-completed'
      ) {
        ofSession(hostId, message);
      }
    },
    down(hostId) {
      servers.gone(hostId);
      for (const computation of registry.live(hostId)) {
        if (!computation.online) continue;
        computation.online = false;
        completions.lost(computation.record.id);
        bus.emit('session', { id: computation.record.id });
      }
      bus.emit('compute', { host: hostId });
    },
  };
}
