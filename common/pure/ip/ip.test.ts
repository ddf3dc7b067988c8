import { describe, expect, it } from 'vitest';
import { isWebvirtError } from '../../errors.ts';
import { parseIpv4, printIpv4 } from './address.ts';
import { cidrSize, containsCidr, coverAddresses, cutCidr, parseCidr, printCidr } from './cidr.ts';
import { mustLieInside, mustScanRange } from './scan-range.ts';

describe('addresses', () => {
  it.each(['0.0.0.0', '127.0.0.1', '10.99.255.3', '255.255.255.255'])('%s is read and printed the same', (text) => {
    expect(printIpv4(parseIpv4(text)!)).toBe(text);
  });

  it.each([
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '0x7f.0.0.1',
    '2130706433',
    '127.1',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.-4',
    '１.2.3.4',
    '1..2.3',
    '',
    '1.2.3.4\n',
  ])('%j is refused', (text) => expect(parseIpv4(text)).toBeNull());
});

describe('blocks', () => {
  it('knows size, inside and pieces', () => {
    const wide = parseCidr('10.99.0.0/16')!;
    expect(cidrSize(wide)).toBe(65_536);
    expect(containsCidr(wide, parseCidr('10.99.255.255')!)).toBe(true);
    expect(containsCidr(wide, parseCidr('10.100.0.0/24')!)).toBe(false);
    expect(containsCidr(parseCidr('10.99.4.0/24')!, wide)).toBe(false);
    const pieces = cutCidr(wide, 20);
    expect(pieces).toHaveLength(16);
    expect(printCidr(pieces[15]!)).toBe('10.99.240.0/20');
    expect(cutCidr(parseCidr('10.0.0.0/24')!, 20)).toHaveLength(1);
  });

  it('works at the upper end of the address space, where 32-bit signs bite', () => {
    expect(printCidr(cutCidr(parseCidr('223.255.0.0/16')!, 20)[15]!)).toBe('223.255.240.0/20');
  });

  it.each(['10.0.0.1/24', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/024', '10.0.0.0/-1', '10.0.0.0/1e1', '/24'])(
    '%j is refused',
    (text) => expect(parseCidr(text)).toBeNull(),
  );

  it('covers any set of addresses exactly', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let round = 0; round < 50; round += 1) {
      const base = 0xdfff0000;
      const picked = Array.from({ length: 600 }, (_, i) => base + i).filter(() => random() < round / 50);
      const back = coverAddresses(picked).flatMap((c) => {
        expect(c.base % cidrSize(c)).toBe(0);
        return Array.from({ length: cidrSize(c) }, (_, i) => c.base + i);
      });
      expect(back).toEqual(picked);
    }
    expect(coverAddresses(Array.from({ length: 4096 }, (_, i) => 0x0a000000 + i))).toHaveLength(1);
  });
});

describe('ranges that may be scanned', () => {
  it.each(['10.0.0.0/16', '192.168.1.0/24', '172.16.5.4', '127.0.0.1/32', '100.64.0.0/16', '8.8.8.0/24'])(
    '%s passes',
    (text) => expect(mustScanRange(text).base).toBeGreaterThan(0),
  );

  it.each([
    ['10.0.0.0/15', /widest/],
    ['10.0.0.0/8', /widest/],
    ['0.0.0.0/0', /widest/],
    ['0.0.0.0/16', /this network/],
    ['127.0.0.0/24', /loopback/],
    ['169.254.169.254', /metadata/],
    ['224.0.0.0/24', /multicast/],
    ['255.255.255.255', /reserved/],
    ['10.0.0.7/24', /write 10\.0\.0\.0\/24/],
    ['fe80::1', /IPv6/],
    ['fd00::/64', /IPv6/],
    ['::ffff:10.0.0.1', /IPv6/],
    ['10.0.0.0-255', /not an IPv4 range/],
    ['10.0.*.1', /not an IPv4 range/],
    ['example.org', /not an IPv4 range/],
    ['-iL /etc/passwd', /not an IPv4 range/],
    ['10.0.0.1 10.0.0.2', /not an IPv4 range/],
  ])('%s is refused with the reason', (text, reason) => {
    try {
      mustScanRange(text);
      expect.unreachable();
    } catch (error) {
      expect(isWebvirtError(error, 'bad-range')).toBe(true);
      expect((error as Error).message).toMatch(reason);
    }
  });

  it('lets wider loopback pass only when told to', () => {
    expect(() => mustScanRange('127.0.0.0/24')).toThrow();
    expect(printCidr(mustScanRange('127.0.0.0/24', { allowLoopback: true }))).toBe('127.0.0.0/24');
  });

  it('keeps a manual scan inside the configured ranges', () => {
    const configured = [mustScanRange('10.1.0.0/16'), mustScanRange('192.168.7.0/24')];
    expect(printCidr(mustLieInside(mustScanRange('192.168.7.128/25'), configured))).toBe('192.168.7.0/24');
    expect(() => mustLieInside(mustScanRange('192.168.8.0/24'), configured)).toThrow(/not inside/);
    expect(() => mustLieInside(mustScanRange('192.168.6.0/23'), configured)).toThrow(/not inside/);
    expect(() => mustLieInside(mustScanRange('10.0.0.1'), [])).toThrow(/none is configured/);
  });
});
