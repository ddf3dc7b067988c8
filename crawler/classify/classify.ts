import type { Finding } from '../../common/model/discovery.ts';
import { printIpv4 } from '../../common/pure/ip/address.ts';
import { cleanClaim } from './clean.ts';
import { shakeHands } from './handshake.ts';
import { askHello } from './hello.ts';

export type Classified =
  /** The host refuses on this port: it is up, without an agent. */
  { outcome: 'closed' } | { outcome: 'silent' } | { outcome: 'found'; finding: Finding };

export interface ClassifyOptions {
  /** Time for everything. */
  limitMs: number;
  signal: AbortSignal;
  /** True for the ids that are enrolled with our manager. */
  isOurs(id: string): boolean;
}

/**
 * Looks at who listens on one address: one connection, one question, bounded in time and bytes. The id is computed
 * from the key that the TLS handshake proved, so that nobody can show another's. Never rejects.
 */
export async function classify(address: number, port: number, options: ClassifyOptions): Promise<Classified> {
  const host = printIpv4(address);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.limitMs)]);
  const found = (part: Partial<Finding> & Pick<Finding, 'state'>): Classified => ({
    outcome: 'found',
    finding: { address: host, port, id: null, product: null, version: null, claimedName: null, detail: null, ...part },
  });
  const stranger = (why: string) => found({ state: 'not-an-agent', detail: why });

  const peer = await shakeHands(host, port, signal);
  if (peer.outcome === 'foreign') return stranger(peer.why);
  if (peer.outcome !== 'tls') return peer;
  try {
    const { id, named, socket } = peer;
    if (id === null) return stranger('has a key that no agent has');
    const enrolled = () =>
      found({ state: options.isOurs(id) ? 'enrolled-here' : 'enrolled-elsewhere', id, product: 'webvirt-agent' });
    // A signed certificate carries the id: an enrolled agent tells strangers nothing, and need not be asked.
    if (named && options.isOurs(id)) return enrolled();
    const hello = await askHello(socket, host, signal);
    if (hello.outcome === 'refused' && named) return enrolled();
    if (hello.outcome === 'refused') return stranger('refuses without the name of an agent');
    if (hello.outcome === 'foreign') return stranger(hello.why);
    if (hello.id !== id) return stranger('claims another id than its key proves');
    return found({
      state: 'unenrolled',
      id,
      product: 'webvirt-agent',
      version: hello.version,
      claimedName: cleanClaim(hello.name, 255),
    });
  } finally {
    peer.socket.destroy();
  }
}
