import { createHash, type X509Certificate } from 'node:crypto';

/**
 * The id behind a public key: first 32 hex digits of the SHA-256 of its DER form. Null when it is not of the kind that
 * agents have (ECDSA P-256) or cannot be read.
 */
export function peerId(certificate: X509Certificate | undefined): string | null {
  try {
    const key = certificate?.publicKey;
    if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return null;
    const der = key.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(der).digest('hex').slice(0, 32);
  } catch {
    return null;
  }
}

/** True when somebody else signed this id into the certificate, as a manager does at enrolment. */
export function isNamed(certificate: X509Certificate | undefined, id: string): boolean {
  try {
    if (certificate?.subjectAltName?.split(', ').includes(`DNS:${id}`) !== true) return false;
    return !certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}
