import type { Principal } from '../../common/model/access.ts';
import type { Bus } from '../bus/bus.ts';
import type { SharedGuard } from './ports.ts';

const LIMIT_REMEMBERED = 1_000;

/**
 * Ends the sockets of a credential that ended: at once when it is told on the bus, and within one round when it ran out
 * by itself.
 */
export function credentialWatch<S>(
  checkMs: number,
  deps: {
    bus: Bus;
    guard: Pick<SharedGuard, 'isStillValid'>;
    clients: ReadonlyMap<string, { socket: S; principal: Principal }>;
    end(socket: S): void;
  },
): { hasEnded(principal: Principal): boolean; stop(): void } {
  /** Credentials that ended lately: one may end between its check and its connection. */
  const ended = new Set<string>();

  const stopListening = deps.bus.on('credential-ended', ({ credentialId }) => {
    ended.add(credentialId);
    for (const oldest of ended) {
      if (ended.size <= LIMIT_REMEMBERED) break;
      ended.delete(oldest);
    }
    for (const { socket, principal } of [...deps.clients.values()])
      if (principal.credentialId === credentialId) deps.end(socket);
  });

  function hasEnded(principal: Principal): boolean {
    return ended.has(principal.credentialId) || deps.guard.isStillValid?.(principal) === false;
  }

  const timer = setInterval(() => {
    for (const { socket, principal } of [...deps.clients.values()]) if (hasEnded(principal)) deps.end(socket);
  }, checkMs);
  timer.unref();

  return {
    hasEnded,
    stop() {
      clearInterval(timer);
      stopListening();
    },
  };
}
