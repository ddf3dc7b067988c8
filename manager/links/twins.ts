import type { Link } from './link.ts';
import type { LinksConfig, LinksDeps } from './ports.ts';
import { isSameMachine, probe } from './probe.ts';

interface Place {
  address: string;
  port: number;
}

/**
 * One id at two addresses. A host that moved is followed; a machine with two addresses is left alone; a copy of an
 * agent's disk is a conflict: both are held, nothing is taken from either and nothing sent, until only one answers.
 */
export interface Twins {
  /** Somebody saw the host's key at an address (a scan does). Resolves when it is decided what that means. */
  sighted(hostId: string, place: Place): Promise<void>;
  held(hostId: string): boolean;
  forget(hostId: string): void;
  stop(): void;
}

export function createTwins(config: LinksConfig, deps: LinksDeps, linkOf: (hostId: string) => Link | null): Twins {
  const { hosts, tls, handlers, log } = deps;
  const held = new Map<string, Place>();
  const looking = new Set<string>();
  let stopped = false;
  const timer = setInterval(() => {
    for (const [id, place] of held) void look(id, place);
  }, config.conflictCheckMs);
  timer.unref();

  async function look(id: string, place: Place): Promise<void> {
    const record = hosts.get(id);
    if (record === null || record.revokedMs !== null || looking.has(id)) return;
    if (record.address === place.address && record.port === place.port) return;
    looking.add(id);
    try {
      // The other one first: asking the recorded one may end the link that is open now.
      const other = await probe({ id, ...place }, tls(), config);
      const recorded = await probe(record, tls(), config);
      if (stopped) return;
      if (other !== null && recorded !== null && !isSameMachine(other, recorded)) hold(id, record, place);
      else if (held.has(id)) release(id, place, recorded === null && other !== null);
      else if (other !== null && recorded === null) move(id, place);
    } catch (error) {
      // Nobody waits for the answer, and the next scan asks again.
      log.warn('It cannot be looked where a host is', { host: id, ...place, reason: String(error) });
    } finally {
      looking.delete(id);
    }
  }

  function hold(id: string, record: Place, place: Place): void {
    if (!held.has(id)) {
      const addresses = [`${record.address} ${record.port}`, `${place.address} ${place.port}`];
      log.error('One agent answers at two addresses; both are held', { host: id, addresses, source: 'audit' });
    }
    held.set(id, place);
    linkOf(id)?.rest('the same agent answers at a second address');
    handlers.onConflict(id, true);
  }

  function release(id: string, place: Place, moved: boolean): void {
    held.delete(id);
    log.warn('Only one of two agents with one id is left', { host: id, source: 'audit' });
    handlers.onConflict(id, false);
    if (moved) move(id, place);
    else linkOf(id)?.dial();
  }

  function move(id: string, place: Place): void {
    log.warn('A host answers at another address', { host: id, address: place.address, port: place.port });
    handlers.onMoved(id, place.address, place.port);
    linkOf(id)?.dial();
  }

  return {
    sighted: (hostId, place) => look(hostId, place),
    held: (hostId) => held.has(hostId),
    forget: (hostId) => void held.delete(hostId),
    stop() {
      stopped = true;
      clearInterval(timer);
      held.clear();
    },
  };
}
