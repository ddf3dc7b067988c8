import { createHash } from 'node:crypto';

/** Running hash behind a body: SHA-256 over the hash before it (its hex digits as text) and the body, 32 hex digits. */
export function runningHash(prev: string, body: Uint8Array): string {
  return createHash('sha256').update(prev).update(body).digest('hex').slice(0, 32);
}
