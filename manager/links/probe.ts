import { connect } from './connect.ts';
import type { HelloMessage, LinksConfig, LinkTls } from './ports.ts';
import { readText } from './read-message.ts';

/**
 * Looks whether an agent with this id answers at an address, and hears its hello. Null when it does not, or when
 * somebody without its key answers.
 */
export function probe(
  place: { id: string; address: string; port: number },
  tls: LinkTls,
  config: LinksConfig,
): Promise<HelloMessage | null> {
  return new Promise((resolve) => {
    const socket = connect(place, tls, config);
    const timer = setTimeout(() => answer(null), config.handshakeMs * 2);
    function answer(hello: HelloMessage | null): void {
      clearTimeout(timer);
      socket.terminate();
      resolve(hello);
    }
    socket.on('error', () => answer(null));
    socket.on('close', () => answer(null));
    socket.once('message', (data, isBinary) => {
      try {
        const message = isBinary ? null : readText((data as Buffer).toString('utf8'));
        answer(message?.t === 'hello' ? message : null);
      } catch {
        answer(null);
      }
    });
  });
}

/** Boot times are computed from a clock that may be set in between. */
const SAME_BOOT_MS = 10_000;

/** True when two hellos come from one running machine that has two addresses, and not from a copy of its disk. */
export function isSameMachine(a: HelloMessage, b: HelloMessage): boolean {
  if (a.host.hostUuid !== b.host.hostUuid) return false;
  if (a.host.bootMs === undefined || b.host.bootMs === undefined) return false;
  return Math.abs(a.host.bootMs - b.host.bootMs) <= SAME_BOOT_MS && a.epochs.at(-1)?.epoch === b.epochs.at(-1)?.epoch;
}
