import type { AgentServiceMessage, ManagerServiceMessage } from '../../common/wire/services.ts';
import { errorFields, type Logger } from '../../logging/logger.ts';

/**
 * A part of the agent that shares the link: consoles, computations, questions, resources. To add one: its messages in
 * `common/wire/services.ts`, a `LinkService` in its own room, one line in `agent.ts`; the manager's side is a
 * `HostService` (manager/links/services.ts).
 */
export interface LinkService {
  /** The kinds of messages it takes; no two services take the same. */
  takes: readonly ManagerServiceMessage['t'][];
  /** A link was let in: what the manager must know is sent now, and then as it happens, until `detach`. */
  attach(send: (message: AgentServiceMessage) => void): AttachedService;
}

export interface AttachedService {
  take(message: ManagerServiceMessage): void;
  detach(): void;
}

/** The services of one let-in link. A service that fails costs neither the link nor the others. */
export function attachServices(
  services: readonly LinkService[],
  send: (message: AgentServiceMessage) => void,
  log: Pick<Logger, 'error'>,
): AttachedService {
  const guarded = (what: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      log.error('A service of the link failed', { service: what, ...errorFields(error) });
    }
  };
  const byKind = new Map<string, AttachedService>();
  const attached: AttachedService[] = [];
  for (const service of services) {
    guarded(service.takes.join(' '), () => {
      const one = service.attach(send);
      attached.push(one);
      for (const kind of service.takes) byKind.set(kind, one);
    });
  }
  return {
    take: (message) => guarded(message.t, () => byKind.get(message.t)?.take(message)),
    detach() {
      for (const one of attached.splice(0)) guarded('detach', () => one.detach());
      byKind.clear();
    },
  };
}
