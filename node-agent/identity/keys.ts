import { createHash, createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { loadX509 } from '../../common/pure/x509/load.ts';

export const x509 = await loadX509();
x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Nobody trusts the self-signed certificate; it only carries the key. Long enough to outlive any wait for enrolment. */
const SELF_LIFE_MS = 20 * 365 * 86_400_000;

/** A fresh ECDSA P-256 key as PEM (PKCS #8). */
export async function newKeyPem(): Promise<string> {
  const { privateKey } = (await webcrypto.subtle.generateKey(ALGORITHM, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

/** Id of an agent: first 32 hex digits of SHA-256 over the DER form (SPKI) of its public key. */
export function idOfKey(keyPem: string): string {
  return createHash('sha256').update(spkiOf(keyPem)).digest('hex').slice(0, 32);
}

export function spkiOf(keyPem: string): Buffer {
  return createPublicKey(keyPem).export({ type: 'spki', format: 'der' });
}

async function keysOf(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto;
  const pkcs8 = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return {
    privateKey: await subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']),
    publicKey: await subtle.importKey('spki', spkiOf(keyPem), ALGORITHM, true, ['verify']),
  };
}

/** The certificate that an agent shows before it is enrolled. PEM. */
export async function selfSigned(keyPem: string, nowMs: number): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `40${randomBytes(15).toString('hex')}`,
    name: [{ CN: [idOfKey(keyPem)] }],
    notBefore: new Date(nowMs - 86_400_000),
    notAfter: new Date(nowMs + SELF_LIFE_MS),
    signingAlgorithm: ALGORITHM,
    keys: (await keysOf(keyPem)) as never,
  });
  return `${certificate.toString('pem')}\n`;
}

/** A certificate request for the key. `der` is what the proof of the secret covers. */
export async function certificateRequest(keyPem: string): Promise<{ pem: string; der: Buffer }> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [idOfKey(keyPem)] }],
    keys: (await keysOf(keyPem)) as never,
    signingAlgorithm: ALGORITHM,
  });
  return { pem: request.toString('pem'), der: Buffer.from(request.rawData) };
}
