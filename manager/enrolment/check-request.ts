import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PublicKeyType } from '@peculiar/x509';
import type { StoredEnrolToken } from '../store/ports.ts';
import { idOfKey, x509 } from './keys.ts';

/** RFC 5705 label and length of the keying material that ties a request to its TLS connection. */
export const EXPORTER_LABEL = 'EXPORTER-webvirt-enrol';
export const EXPORTER_BYTES = 32;

export type Refusal =
  | 'unknown token'
  | 'used token'
  | 'expired token'
  | 'not a certificate request'
  | 'wrong proof of the secret'
  | 'wrong kind of key'
  | 'wrong signature of the request'
  | 'token of another agent';

export type Checked = { ok: true; id: string; publicKey: PublicKeyType } | { ok: false; refusal: Refusal };

const CSR_PEM =
  /^\s*-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/;

/**
 * Checks a request against its token: the cheap and secret-bound checks first, so that a stranger cannot make us parse or
 * verify anything. The proof covers this very connection (`exporter`): a relay in the middle has another one.
 */
export async function checkRequest(
  token: StoredEnrolToken | null,
  request: { csr: string; mac: string },
  exporter: Uint8Array,
  nowMs: number,
): Promise<Checked> {
  const refuse = (refusal: Refusal): Checked => ({ ok: false, refusal });
  if (token === null) return refuse('unknown token');
  if (token.usedMs !== null) return refuse('used token');
  if (token.expiresMs <= nowMs || token.secret === '') return refuse('expired token');
  const body = CSR_PEM.exec(request.csr)?.[1];
  if (body === undefined) return refuse('not a certificate request');
  const der = Buffer.from(body, 'base64');
  if (!isProof(token.secret, exporter, der, request.mac)) return refuse('wrong proof of the secret');

  const csr = readCsr(der);
  if (csr === null) return refuse('not a certificate request');
  const { name, namedCurve } = csr.publicKey.algorithm as { name: string; namedCurve?: string };
  if (name !== 'ECDSA' || namedCurve !== 'P-256') return refuse('wrong kind of key');
  // Whoever has the secret must also hold the key that is to be named.
  if (!(await csr.verify().catch(() => false))) return refuse('wrong signature of the request');
  const id = idOfKey(csr.publicKey.rawData);
  if (token.agent !== null && token.agent !== id) return refuse('token of another agent');
  return { ok: true, id, publicKey: csr.publicKey };
}

/** HMAC-SHA256 over exporter ‖ CSR-DER, keyed with the bytes of the secret's text. Hex. */
export function proofOf(secret: string, exporter: Uint8Array, csrDer: Uint8Array): string {
  return createHmac('sha256', secret).update(exporter).update(csrDer).digest('hex');
}

function isProof(secret: string, exporter: Uint8Array, der: Uint8Array, mac: string): boolean {
  const expected = Buffer.from(proofOf(secret, exporter, der), 'hex');
  const given = Buffer.from(mac, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function readCsr(der: Buffer) {
  try {
    return new x509.Pkcs10CertificateRequest(new Uint8Array(der));
  } catch {
    return null;
  }
}
