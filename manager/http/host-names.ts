import { isIP } from 'node:net';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '::1', 'ip6-localhost']);

/** The host of a Host header, lower case, without port and brackets; null when it is none. */
export function hostOf(header: string | undefined): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(header ?? '');
  return match === null ? null : (match[1] ?? match[2]!).toLowerCase();
}

/** An address without the prefix that IPv4 wears on an IPv6 socket. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** True for an address of this very machine's loopback network. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/**
 * Decides whether this manager answers to a Host header. A page of another site can make its own name point here (DNS
 * rebinding) but cannot make the browser send another name: so only names we know are answered. Loopback names, this
 * machine's own name and the address the connection arrived at are known; `allowedHosts` adds more.
 */
export function hostAllowList(allowedHosts: readonly string[], ownName: string) {
  const names = new Set([...allowedHosts, ownName, `${ownName}.local`].map((name) => name.toLowerCase()));
  return (header: string | undefined, localAddress: string | undefined): boolean => {
    const host = hostOf(header);
    if (host === null) return false;
    if (LOOPBACK_NAMES.has(host) || host.endsWith('.localhost')) return true;
    return names.has(host) || (isIP(host) !== 0 && host === plainAddress(localAddress));
  };
}
