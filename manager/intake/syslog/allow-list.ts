import { BlockList, isIP } from 'node:net';

/** Says whether an address may send. Addresses are plain: see `plainAddress`. */
export type AllowList = (address: string) => boolean;

/** Makes the list of addresses and CIDR blocks, IPv4 and IPv6. Throws a RangeError that names the entry that is none. */
export function createAllowList(entries: readonly string[]): AllowList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...more] = entry.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (family === 0 || more.length > 0 || !(bits <= most))
      throw new RangeError(`"${entry}" is no address and no block such as 10.20.0.0/16`);
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}

/** IPv4 written as IPv6 is IPv4, and a zone is no part of an address. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
