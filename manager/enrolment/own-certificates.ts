import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Ca, type KeyAndCert, writeWhole } from './ca.ts';

/** Name in the certificate that the manager shows to agents, and that they ask for. */
export const LINK_NAME = 'webvirt-manager';

const RENEW_BEFORE_MS = 30 * 86_400_000;

/**
 * Key and certificate of the manager's port. Kept in the CA's folder, because a browser that was told to trust it would
 * otherwise ask again at each start; made anew when names were added, when it ends soon or the CA is another one.
 */
export async function serverCertificate(
  ca: Ca,
  folder: string,
  names: readonly string[],
  nowMs: number,
): Promise<KeyAndCert> {
  const paths = { key: join(folder, 'server.key'), cert: join(folder, 'server.pem') };
  const kept = read(paths);
  if (kept !== null && isGood(kept, ca, names, nowMs)) return kept;
  const fresh = await ca.issue('manager-server', names[0] ?? 'localhost', names, nowMs);
  writeWhole(paths.key, fresh.key, 0o600);
  writeWhole(paths.cert, fresh.cert, 0o644);
  return fresh;
}

/** Names and addresses under which this machine is called, the given ones first. */
export function machineNames(given: readonly string[]): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    // A link-local address needs its interface to mean anything, and a certificate cannot name that.
    (list ?? []).map((one) => one.address).filter((address) => !address.startsWith('fe80:')),
  );
  return [...new Set([...given, hostname(), 'localhost', '127.0.0.1', '::1', ...addresses])];
}

/** What to tell a host to call: the first configured name, else the address listened on, else the first one of ours. */
export function reachableName({ names, listen }: { names: readonly string[]; listen: string }): string {
  const name = names[0] ?? (/^(0\.0\.0\.0|::|)$/.test(listen) ? firstAddress() : listen);
  return name.includes(':') ? `[${name}]` : name;
}

function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}

function read(paths: { key: string; cert: string }): KeyAndCert | null {
  try {
    return { key: readFileSync(paths.key, 'utf8'), cert: readFileSync(paths.cert, 'utf8') };
  } catch {
    return null;
  }
}

function isGood({ key, cert }: KeyAndCert, ca: Ca, names: readonly string[], nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(cert);
    const lasts = Date.parse(certificate.validTo) - nowMs > RENEW_BEFORE_MS;
    const ours = certificate.verify(new X509Certificate(ca.cert).publicKey);
    const named = names.every((name) => isFor(certificate, name));
    return lasts && ours && named && certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isFor(certificate: X509Certificate, name: string): boolean {
  // checkHost refuses names of a single label, which are what people call the machines of a lab.
  if (isIP(name) === 0) return certificate.subjectAltName?.split(', ').includes(`DNS:${name}`) === true;
  return certificate.checkIP(name) !== undefined;
}
