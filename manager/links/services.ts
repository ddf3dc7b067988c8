import type { AgentServiceMessage } from '../../common/wire/services.ts';
import type { LinkLog } from './ports.ts';

/**
 * A part of the manager that shares the links: consoles, computations, questions, resources. The agent's side is a
 * `LinkService` (node-agent/serve/services.ts). Registered in `manager/fleet.ts`.
 */
export interface HostService {
  kinds: readonly AgentServiceMessage['t'][];
  take(hostId: string, message: AgentServiceMessage): void;
  /** The link of the host is open: messages may be sent. */
  up?(hostId: string): void;
  /** It has ended; what was under way there is not known any more. */
  down?(hostId: string): void;
}

/** Hands each message to the service that takes its kind. A service that fails costs neither the link nor the others. */
export function createHostServices(
  services: readonly HostService[],
  log: LinkLog,
): Required<Omit<HostService, 'kinds'>> {
  const byKind = new Map(services.flatMap((service) => service.kinds.map((kind) => [kind, service] as const)));
  const guarded = (host: string, kind: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      log.error('A service of the links failed', { host, kind, reason: String(error) });
    }
  };
  return {
    take: (hostId, message) => guarded(hostId, message.t, () => byKind.get(message.t)?.take(hostId, message)),
    up(hostId) {
      for (const service of services) guarded(hostId, 'up', () => service.up?.(hostId));
    },
    down(hostId) {
      for (const service of services) guarded(hostId, 'down', () => service.down?.(hostId));
    },
  };
}
