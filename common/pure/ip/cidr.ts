import { parseIpv4, printIpv4 } from './address.ts';

/** A block of IPv4 addresses: `base` is the first one as a number, `bits` the length of the prefix, 0 to 32. */
export interface Cidr {
  base: number;
  bits: number;
}

/** The block, or null when the text is no IPv4 block. One address without a prefix is a /32. Host bits must be zero. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/');
  const base = parseIpv4(slash === -1 ? text : text.slice(0, slash));
  if (base === null) return null;
  const prefix = slash === -1 ? '32' : text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]?)$/.test(prefix)) return null;
  const bits = Number(prefix);
  if (bits > 32) return null;
  return base % 2 ** (32 - bits) === 0 ? { base, bits } : null;
}

/** `10.0.0.0/24`; always with the prefix. */
export function printCidr(cidr: Cidr): string {
  return `${printIpv4(cidr.base)}/${cidr.bits}`;
}

/** How many addresses the block has. */
export function cidrSize(cidr: Cidr): number {
  return 2 ** (32 - cidr.bits);
}

/** True when the address lies in the block. */
export function containsAddress(cidr: Cidr, address: number): boolean {
  return address >= cidr.base && address < cidr.base + cidrSize(cidr);
}

/** True when the whole inner block lies in the outer one. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return inner.bits >= outer.bits && containsAddress(outer, inner.base);
}

/** The block in pieces of the given prefix length, in order; the block itself when it is not larger than a piece. */
export function cutCidr(cidr: Cidr, bits: number): Cidr[] {
  if (cidr.bits >= bits) return [cidr];
  const step = 2 ** (32 - bits);
  return Array.from({ length: 2 ** (bits - cidr.bits) }, (_, i) => ({ base: cidr.base + i * step, bits }));
}

/** The fewest blocks that hold exactly these addresses. They must be sorted and without repetition. */
export function coverAddresses(sorted: readonly number[]): Cidr[] {
  const blocks: Cidr[] = [];
  for (let i = 0; i < sorted.length; ) {
    const base = sorted[i]!;
    let run = 1;
    while (i + run < sorted.length && sorted[i + run] === base + run) run += 1;
    let size = 1;
    while (size * 2 <= run && base % (size * 2) === 0) size *= 2;
    blocks.push({ base, bits: 32 - Math.log2(size) });
    i += size;
  }
  return blocks;
}
