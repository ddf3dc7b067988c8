import { BlockList, isIP } from 'node:net';

/** Networks that nobody outside has: what a hook names must not lead there. */
const CLOSED_V4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
];
/** Only 2000::/3 is the open network; these parts of it lead elsewhere (Teredo, 6to4, documentation, tests). */
const CLOSED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** A list of networks such as `10.1.0.0/16`, `fd00::/8` or one address. Throws a TypeError that names what it cannot read. */
export function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits, ...more] = network.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : Number(bits);
    if (
      family === 0 ||
      more.length > 0 ||
      !(prefix >= 0 && prefix <= most) ||
      (bits !== undefined && !/^\d+$/.test(bits))
    )
      throw new TypeError(`${network} is not a network such as 10.1.0.0/16`);
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

const closedV4 = blockList(CLOSED_V4);
const closedV6 = blockList(CLOSED_V6);
const open6 = blockList(['2000::/3']);

/**
 * Why nothing may be sent to an address, or null. `allowed`: networks that the admin has opened. An IPv4 address in the
 * clothes of IPv6 (mapped, NAT64) is judged as neither: it is refused, whatever is inside, unless it is named itself.
 */
export function whyClosed(address: string, allowed: BlockList, own: ReadonlySet<string>): string | null {
  const family = isIP(address);
  if (family === 0) return 'it is no address';
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  // BlockList reads ::ffff:1.2.3.4 as 1.2.3.4; we do not.
  const isMapped = family === 6 && isMappedV4(address);
  if (!isMapped && allowed.check(address, kind)) return null;
  if (own.has(address)) return 'it is an address of this machine';
  if (family === 4) return closedV4.check(address, kind) ? 'it is not an address of the open network' : null;
  if (isMapped || !open6.check(address, kind) || closedV6.check(address, kind))
    return 'it is not an address of the open network';
  return null;
}

function isMappedV4(address: string): boolean {
  const text = `http://[${address.split('%')[0]}]/`;
  return !URL.canParse(text) || /^\[::(ffff:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}\]$/.test(new URL(text).hostname);
}
