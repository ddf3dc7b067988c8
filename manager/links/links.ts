import type { ManagerMessage } from '../../common/wire/link.ts';
import { createLink, type Link } from './link.ts';
import type { LinksConfig, LinksDeps } from './ports.ts';
import { createTwins } from './twins.ts';

export { LINKS_DEFAULTS } from './ports.ts';

export interface Links {
  /** Dials every enrolled host. */
  start(): void;
  stop(): void;
  /** False when the message surely did not leave: no link, or the agent reads nothing. */
  send(hostId: string, message: ManagerMessage): boolean;
  connected(hostId: string): boolean;
  /** A host was enrolled, or its address changed: dials it now. */
  dial(hostId: string): void;
  /** A host was revoked: its link is cut now and it is not dialled again. */
  drop(hostId: string): void;
  /** A scan proved this host's key at an address: it moved, has two addresses, or its disk was copied. */
  sighted(hostId: string, place: { address: string; port: number }): Promise<void>;
}

/** One connection to every enrolled host, opened by us; each on its own, so that none waits for another. */
export function createLinks(config: LinksConfig, deps: LinksDeps): Links {
  const links = new Map<string, Link>();
  let running = false;
  const twins = createTwins(config, deps, (hostId) => links.get(hostId) ?? null);

  function linkOf(id: string): Link {
    let link = links.get(id);
    if (link === undefined) {
      link = createLink(id, config, { ...deps, record: () => deps.hosts.get(id) });
      links.set(id, link);
    }
    return link;
  }

  return {
    start() {
      running = true;
      for (const host of deps.hosts.list()) if (host.revokedMs === null) linkOf(host.id).dial();
    },
    stop() {
      running = false;
      twins.stop();
      for (const link of links.values()) link.rest('the manager stops');
      links.clear();
    },
    send: (hostId, message) => links.get(hostId)?.send(message) ?? false,
    connected: (hostId) => links.get(hostId)?.connected() ?? false,
    dial(hostId) {
      if (running && !twins.held(hostId)) linkOf(hostId).dial();
    },
    drop(hostId) {
      twins.forget(hostId);
      links.get(hostId)?.rest('the host was revoked');
      links.delete(hostId);
    },
    sighted: (hostId, place) => twins.sighted(hostId, place),
  };
}
