import { z } from 'zod';
import { duration, size } from '../../common/pure/config/quantity.ts';
import { isAddressBlock } from './address-block.ts';

const count = (least: number, most: number, usual: number) => z.number().int().min(least).max(most).default(usual);

const syslog = z
  .object({
    udpPort: z.number().int().min(0).max(65_535).nullable().default(null).describe('UDP port; null: off.'),
    tcpPort: z.number().int().min(0).max(65_535).nullable().default(null).describe('TCP port; null: off.'),
    tlsPort: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .nullable()
      .default(null)
      .describe('Port for TLS (RFC 5425, usually 6514), with the certificate of this manager; null: off.'),
    listen: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all of this machine.'),
    allow: z
      .array(z.string().refine(isAddressBlock, 'an address or a block, such as 192.0.2.7 or 10.20.0.0/16'))
      .default([])
      .describe(
        'Addresses and blocks that may send, such as 192.0.2.7, 10.20.0.0/16 or 2001:db8::/32. Must be given when a port ' +
          'is: syslog knows no passwords.',
      ),
    maxConnections: count(1, 100_000, 500).describe('TCP connections at the same time; more are closed at once.'),
    maxPerAddress: count(1, 100_000, 50).describe('The same for one address.'),
    maxMessage: size({ min: '480B', max: '1MiB' })
      .prefault('64KiB')
      .describe('Longest message; what is longer is cut there and marked.'),
    idle: duration({ min: '1s' }).prefault('1h').describe('A TCP connection that said nothing for so long is closed.'),
  })
  .describe('Syslog (RFC 5424 and 3164) of programs and devices outside.');

/** Lines of programs outside. */
export const intake = z
  .object({
    linesPerSecond: count(1, 10_000_000, 10_000).describe(
      'Lines a second that one sender outside may send. Over HTTP it is told to come again, over TCP it is held up; ' +
        'of UDP the rest is dropped, and a gap record says how much.',
    ),
    burst: count(1, 100_000_000, 50_000).describe('Lines that it may send at once after a silence.'),
    syslog,
  })
  .describe('Lines of programs outside: /api/v1/logs, OTLP, Loki and syslog.');
