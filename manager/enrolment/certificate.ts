import { randomBytes, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { PublicKeyType } from '@peculiar/x509';
import { ALGORITHM, x509 } from './keys.ts';

/** What a certificate is for. `manager-link` is what the manager shows to agents, and no agent ever gets. */
export type Purpose = 'ca' | 'manager-server' | 'manager-link' | 'agent';

export interface CertificateOrder {
  purpose: Purpose;
  /** Common name. */
  name: string;
  /** DNS names and addresses it is valid for. */
  names: readonly string[];
  publicKey: PublicKeyType;
  issuer: { name: string; key: webcrypto.CryptoKey };
  nowMs: number;
  lifeMs: number;
}

/** Clocks of two machines differ: a certificate is valid a little before it was made. */
const BACKDATE_MS = 3_600_000;

const USAGES: Record<Exclude<Purpose, 'ca'>, ('server' | 'client')[]> = {
  'manager-server': ['server'],
  'manager-link': ['client'],
  agent: ['server', 'client'],
};

/** Makes one certificate, as PEM. */
export async function makeCertificate(order: CertificateOrder): Promise<string> {
  const { purpose, issuer, nowMs } = order;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [order.name] }],
    issuer: [{ CN: [issuer.name] }],
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + order.lifeMs),
    signingAlgorithm: ALGORITHM,
    publicKey: order.publicKey,
    signingKey: issuer.key,
    extensions: purpose === 'ca' ? caExtensions() : leafExtensions(USAGES[purpose], order.names),
  });
  return `${certificate.toString('pem')}\n`;
}

function caExtensions() {
  return [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

function leafExtensions(usages: ('server' | 'client')[], names: readonly string[]) {
  const list = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  const oids = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension(usages.map((usage) => oids[usage])),
    new x509.SubjectAlternativeNameExtension(list),
  ];
}

/** 127 random bits, first one never 0: positive and of full length in DER. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}
