/**
 * IPv4 addresses as unsigned 32-bit numbers. Only the plain form is read (`10.0.0.7`): no hex, octal, short or decimal
 * forms, because programs disagree on what those mean and the one that checks must mean what the one that connects does.
 */

const PART = /^(0|[1-9][0-9]{0,2})$/;

/** The address as a number, or null when the text is not four decimal parts of 0 to 255 without leading zeros. */
export function parseIpv4(text: string): number | null {
  if (text.length > 15) return null;
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let address = 0;
  for (const part of parts) {
    if (!PART.test(part)) return null;
    const value = Number(part);
    if (value > 255) return null;
    address = address * 256 + value;
  }
  return address;
}

/** `10.0.0.7` from its number. */
export function printIpv4(address: number): string {
  return `${(address >>> 24) & 255}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
