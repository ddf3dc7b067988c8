import { WebvirtError } from '../../errors.ts';
import { parseIpv4, printIpv4 } from './address.ts';
import { type Cidr, cidrSize, containsAddress, containsCidr, parseCidr, printCidr } from './cidr.ts';

/** The widest range a scan may have. */
export const WIDEST_SCAN_BITS = 16;

export interface ScanRangeOptions {
  /** Lets a range of several loopback addresses pass: for tests. One loopback address always passes. */
  allowLoopback?: boolean;
}

const block = (text: string): Cidr => parseCidr(text) as Cidr;
const LOOPBACK = block('127.0.0.0/8');

/** Never scanned. Link-local holds the metadata services of clouds; the others cannot be a host. */
const FORBIDDEN: { cidr: Cidr; why: string }[] = [
  { cidr: block('0.0.0.0/8'), why: 'means "this network", not hosts' },
  { cidr: block('169.254.0.0/16'), why: 'is link-local, where clouds keep their metadata services' },
  { cidr: block('224.0.0.0/4'), why: 'is multicast' },
  { cidr: block('240.0.0.0/4'), why: 'is reserved' },
];

/**
 * Reads a range that may be scanned, as numbers. Everything that goes to nmap is printed from these numbers, never from
 * the text. Throws `bad-range` with a message that says what is wrong and what to write instead.
 */
export function mustScanRange(text: string, options: ScanRangeOptions = {}): Cidr {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  const refuse = (why: string) => new WebvirtError('bad-range', `The range ${JSON.stringify(shown)} ${why}.`);

  if (text.includes(':') && /^[0-9a-fA-F:.]+(?:\/[0-9]+)?$/.test(text))
    throw refuse('is IPv6, which is not scanned: its ranges are too wide to search; write an IPv4 range');
  const cidr = parseCidr(text);
  if (cidr === null) throw refuse(withoutHostBits(text) ?? 'is not an IPv4 range such as 10.0.0.0/24 or 10.0.0.7');
  if (cidr.bits < WIDEST_SCAN_BITS)
    throw refuse(`has ${cidrSize(cidr)} addresses; the widest that is scanned is a /${WIDEST_SCAN_BITS}`);
  for (const { cidr: forbidden, why } of FORBIDDEN) if (overlaps(forbidden, cidr)) throw refuse(why);
  if (overlaps(LOOPBACK, cidr) && cidr.bits !== 32 && options.allowLoopback !== true)
    throw refuse('is loopback; of it only single addresses such as 127.0.0.1/32 are scanned');
  return cidr;
}

/**
 * The configured range that holds the asked one. Throws `bad-range` when none does: a scan never leaves what the
 * configuration names.
 */
export function mustLieInside(asked: Cidr, configured: readonly Cidr[]): Cidr {
  const home = configured.find((range) => containsCidr(range, asked));
  if (home !== undefined) return home;
  const list = configured.length === 0 ? 'none is configured' : `configured: ${configured.map(printCidr).join(', ')}`;
  throw new WebvirtError(
    'bad-range',
    `The range ${printCidr(asked)} is not inside a configured range (${list}). Add it to "ranges" of the crawler.`,
  );
}

function overlaps(a: Cidr, b: Cidr): boolean {
  return containsAddress(a, b.base) || containsAddress(b, a.base);
}

/** For `10.0.0.7/24`: says what was probably meant. */
function withoutHostBits(text: string): string | null {
  const [address, prefix, ...more] = text.split('/');
  const base = parseIpv4(address ?? '');
  if (base === null || prefix === undefined || more.length > 0 || !/^(0|[1-9]|[12][0-9]|3[0-2])$/.test(prefix))
    return null;
  const size = 2 ** (32 - Number(prefix));
  return `does not start at its first address; write ${printIpv4(base - (base % size))}/${prefix} or ${address}`;
}
