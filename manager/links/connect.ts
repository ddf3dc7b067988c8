import { createHash, X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import WebSocket, { type ClientOptions } from 'ws';
import { LINK_PATH } from '../../common/wire/link.ts';
import type { LinksConfig, LinkTls } from './ports.ts';

/** Id of an agent: the first 32 hex digits of SHA-256 over the DER form of its public key. */
export function agentIdOf(certificate: Uint8Array): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 32);
}

/**
 * Opens a WebSocket to an agent. The peer must have a certificate of our CA, and its public key must be the one that
 * the host id was made from: address and names prove nothing.
 */
export function connect(
  place: { id: string; address: string; port: number },
  tls: LinkTls,
  config: Pick<LinksConfig, 'handshakeMs' | 'limitMessageBytes'>,
): WebSocket {
  const address = isIPv6(place.address) ? `[${place.address}]` : place.address;
  // Node's own form of this check; the types of ws have an older one.
  const checkServerIdentity = (_name: string, certificate: PeerCertificate): Error | undefined => {
    const found = agentIdOf(certificate.raw);
    return found === place.id ? undefined : new Error(`the agent there has another key (${found})`);
  };
  return new WebSocket(`wss://${address}:${place.port}${LINK_PATH}`, {
    ...tls,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    checkServerIdentity: checkServerIdentity as unknown as NonNullable<ClientOptions['checkServerIdentity']>,
    handshakeTimeout: config.handshakeMs,
    maxPayload: config.limitMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
}
