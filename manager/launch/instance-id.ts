import { createHash } from 'node:crypto';

/** The UUID of the instance that an operation makes. A retry with the same opId makes the same one, wherever it is sent. */
export function instanceIdOf(opId: string): string {
  const bytes = createHash('sha256').update(`webvirt instance\n${opId}`).digest().subarray(0, 16);
  // Version 8: made of something of the maker's own; variant of RFC 9562.
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
