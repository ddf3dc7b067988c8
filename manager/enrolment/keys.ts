import { createHash, createPrivateKey, webcrypto } from 'node:crypto';
import { loadX509 } from '../../common/pure/x509/load.ts';

export const x509 = await loadX509();
x509.cryptoProvider.set(webcrypto as never);

/** Every key of ours: ECDSA on P-256. */
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export type Keys = webcrypto.CryptoKeyPair;

export async function newKeys(): Promise<Keys> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as Keys;
}

/** The private key as PEM (PKCS #8). */
export async function privatePem(keys: Keys): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

/** Reads a private key from PEM; throws when it is not one of our kind. */
export async function privateKeyOf(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

/** The id of the agent that holds this public key: first 32 hex digits of the SHA-256 of its DER form (SPKI). */
export function idOfKey(spki: ArrayBuffer | Uint8Array): string {
  return createHash('sha256').update(new Uint8Array(spki)).digest('hex').slice(0, 32);
}
