import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';

/** Clocks of two machines may differ by a day when they are enrolled; more is somebody's old key. */
const CLOCK_SLACK_MS = 2 * 86_400_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** SHA-256 over the DER form of a certificate, hex. */
export function derHash(certificate: string | Buffer): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
}

/** Says why a certificate is not one for this agent's key (and signed by this CA, when one is given), or null. */
export function certificateFault(given: {
  cert: string;
  ca: string | null;
  keyPem: string;
  id: string;
}): string | null {
  const cert = new X509Certificate(given.cert);
  if (!cert.checkPrivateKey(createPrivateKey(given.keyPem))) return 'it is for another key';
  if (given.ca === null) return null;
  const names = cert.subjectAltName?.split(', ') ?? [];
  if (!names.includes(`DNS:${given.id}`)) return 'it does not name this agent';
  return isSignedBy(cert, new X509Certificate(given.ca)) ? null : 'it is not signed by the CA';
}

/**
 * Says why the peer of a TLS connection is not the manager whose CA has this hash, or null when it is. The chain that it
 * showed must hold that CA, and its own certificate must be signed by it. Nothing may be sent before.
 */
export function managerFault(peer: DetailedPeerCertificate, caHash: string, nowMs: number): string | null {
  const chain = chainOf(peer);
  const leaf = chain[0];
  if (leaf === undefined) return 'it showed no certificate';
  const ca = chain.find((certificate) => derHash(certificate.raw) === caHash);
  if (ca === undefined) return 'it has another CA than the token says';
  if (!ca.ca || !isSignedBy(leaf, ca)) return 'its certificate is not signed by its CA';
  if (Date.parse(leaf.validFrom) - CLOCK_SLACK_MS > nowMs) return 'its certificate is not valid yet';
  if (Date.parse(leaf.validTo) + CLOCK_SLACK_MS < nowMs) return 'its certificate has expired';
  // The certificates of agents are of the same CA and good for both uses: an agent must not pass for the manager.
  const uses = leaf.keyUsage ?? [];
  return uses.includes(SERVER_AUTH) && !uses.includes(CLIENT_AUTH) ? null : 'its certificate is not that of a manager';
}

function isSignedBy(leaf: X509Certificate, ca: X509Certificate): boolean {
  return leaf.checkIssued(ca) && leaf.verify(ca.publicKey);
}

function chainOf(peer: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<DetailedPeerCertificate>();
  for (let at: DetailedPeerCertificate | undefined = peer; at?.raw !== undefined && !seen.has(at); ) {
    if (chain.length >= 8) break;
    seen.add(at);
    chain.push(new X509Certificate(at.raw));
    at = at.issuerCertificate;
  }
  return chain;
}
