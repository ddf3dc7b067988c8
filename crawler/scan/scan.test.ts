import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scan } from '../../common/model/discovery.ts';
import { printIpv4 } from '../../common/pure/ip/address.ts';
import { parseCidr } from '../../common/pure/ip/cidr.ts';
import { configOf } from '../config.ts';
import { createScans } from '../schedule/scans.ts';
import { createHostsXml, type HostRecord } from './hosts-xml.ts';
import { runNmap } from './nmap.ts';
import { piecesOfAddresses, piecesOfRange } from './pieces.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-nmap-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program in the place of nmap: writes down how it was called, then does what `body` says. */
function standIn(name: string, body = ''): { program: string; calls(): string[][] } {
  const [program, record] = [join(folder, name), join(folder, `${name}.calls`)];
  const write = `require('fs').appendFileSync(${JSON.stringify(record)}, JSON.stringify(process.argv.slice(2)) + '\\n');`;
  writeFileSync(program, `#!${process.execPath}\n${write}\n${body}`);
  chmodSync(program, 0o755);
  const calls = () =>
    existsSync(record)
      ? readFileSync(record, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as string[])
      : [];
  return { program, calls };
}

function nmap(program: string, range: string, more: { port?: number; limitMs?: number; signal?: AbortSignal } = {}) {
  const hosts: HostRecord[] = [];
  const done = runNmap({
    program,
    port: more.port ?? 4601,
    rate: 1_000,
    piece: piecesOfRange(parseCidr(range)!)[0]!,
    limitMs: more.limitMs ?? 10_000,
    signal: more.signal ?? new AbortController().signal,
    onHost: (host) => hosts.push(host),
  });
  return done.then(() => hosts);
}

describe('pieces', () => {
  it('begin small and hold each address once', () => {
    const pieces = piecesOfRange(parseCidr('10.99.0.0/16')!);
    expect(pieces.map((piece) => piece.addresses).slice(0, 8)).toEqual([64, 64, 128, 256, 512, 1024, 2048, 4096]);
    expect(pieces.reduce((sum, piece) => sum + piece.addresses, 0)).toBe(65_536);
    const starts = pieces.map((piece) => piece.blocks[0]!.base);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(piecesOfRange(parseCidr('10.0.0.0/24')!)).toHaveLength(1);
    expect(piecesOfRange(parseCidr('10.0.0.7')!)).toHaveLength(1);
  });

  it('of scattered addresses hold exactly them', () => {
    const addresses = Array.from({ length: 6_000 }, (_, i) => 0x0a000000 + i * 2);
    const pieces = piecesOfAddresses(addresses);
    expect(pieces.map((piece) => piece.addresses)).toEqual([4_096, 1_904]);
    expect(pieces.flatMap((piece) => piece.blocks.map((block) => block.base))).toEqual(addresses);
    expect(piecesOfAddresses([])).toEqual([]);
  });
});

describe('what reaches argv', () => {
  it('is numbers printed by us behind --', async () => {
    const fake = standIn('recorder', 'console.log("<nmaprun></nmaprun>")');
    await nmap(fake.program, '10.99.0.0/16');
    expect(fake.calls()).toEqual([
      ['-n', '-sn', '-PS4601', '--max-retries', '1', '--max-rtt-timeout', '100ms', '--min-rate', '1000'].concat([
        '--max-rate',
        '1000',
        '-oX',
        '-',
        '--',
        '10.99.0.0/26',
      ]),
    ]);
  });

  const words = [
    '-iL/etc/passwd',
    '-iL',
    '--script=x',
    '-oN/tmp/x',
    '-oG',
    '-',
    '--',
    '@/etc/passwd',
    '--excludefile=/x',
  ];
  const shell = [
    ';id',
    '|id',
    '&id',
    '$(id)',
    '`id`',
    '\nid',
    '\0',
    '*',
    '?',
    '{1,2}',
    '~',
    '>x',
    '<x',
    "'",
    '"',
    '\\',
    ' ',
  ];
  const addresses = [
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '127.0.0.0/8',
    '10.0.0.1-50',
    '10.0.0.*',
    '10.0.0.1,2',
  ]
    .concat(['0.0.0.0/0', '::1', 'fe80::1%lo', '::ffff:127.0.0.1', '169.254.169.254', 'localhost', 'metadata.internal'])
    .concat(['http://10.99.0.1', 'file:///etc/passwd', '10.99.0.1#', '10.99.0.1%00', '10.99.0.1/24', '１０.99.0.1']);
  const payloads = [...words, ...shell, ...addresses]
    .concat(
      words.map((word) => `10.99.0.1 ${word}`),
      shell.map((word) => `10.99.0.0/24${word}`),
    )
    // Well formed, and outside of what is configured.
    .concat(['10.98.0.0/24', '10.100.0.1', '127.0.0.1', '10.0.0.0/8', '192.168.0.0/16', '8.8.8.8']);

  it(`is nothing of ${payloads.length} hostile ranges`, async () => {
    const told: Scan[] = [];
    const ran: string[] = [];
    const scans = createScans({
      config: configOf({ ranges: ['10.99.0.0/16'] }),
      run: async (order) => {
        ran.push(printIpv4(order.range.base));
        return told[0]!;
      },
      tell: (scan) => told.push(scan),
      now: () => 1,
    });
    payloads.forEach((range, i) => {
      scans.order({ scanId: `s${i}`, kind: 'whole', range, actor: 'x' });
    });
    await scans.stop();
    expect(ran).toEqual([]);
    expect(told.map((scan) => scan.state)).toEqual(payloads.map(() => 'failed'));
    expect(told.every((scan) => scan.error !== null && scan.error.length < 300)).toBe(true);
  });
});

describe('the program', () => {
  it('that is missing is said in one clear line', async () => {
    await expect(nmap('/no/such/nmap', '10.99.0.1')).rejects.toMatchObject({
      code: 'missing-program',
      message: expect.stringContaining('apt-get install nmap'),
    });
  });

  it.each([
    ['no XML', 'console.log("{}")'],
    ['endless', 'const s=()=>process.stdout.write("<a>x</a>".repeat(9000),s);process.stdout.write("<n>",s)'],
    ['too deep', 'console.log("<a>".repeat(5000))'],
    ['a doctype bomb', 'console.log(\'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>\')'],
    ['an exit code', 'console.error("dnet: failed"); process.exit(1)'],
  ])('that prints %s is ended and fails', async (_, body) => {
    const fake = standIn('broken', body);
    await expect(nmap(fake.program, '10.99.0.1')).rejects.toThrow();
  });

  it('that hangs is killed', async () => {
    const fake = standIn('hanging', 'process.on("SIGTERM",()=>{});setInterval(()=>{},1000)');
    await expect(nmap(fake.program, '10.99.0.1', { limitMs: 300 })).rejects.toMatchObject({ code: 'timeout' });
    const stop = new AbortController();
    const running = nmap(fake.program, '10.99.0.1', { signal: stop.signal });
    stop.abort();
    await expect(running).rejects.toThrow();
  });

  it('tells of no host outside its targets', async () => {
    const host = (ip: string) =>
      `<host><status state="up" reason="syn-ack"/><address addr="${ip}" addrtype="ipv4"/></host>`;
    const fake = standIn('liar', `console.log(${JSON.stringify(`<n>${host('8.8.8.8')}${host('10.99.0.7')}</n>`)})`);
    expect((await nmap(fake.program, '10.99.0.0/24')).map((one) => printIpv4(one.address))).toEqual(['10.99.0.7']);
  });

  it('nmap itself knows its own machine without asking the port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const hosts = await nmap('nmap', '127.0.0.1/32', { port: (server.address() as { port: number }).port });
    expect(hosts).toHaveLength(1);
    // As root it does not ask; as somebody else it connects.
    expect(['localhost-response', 'syn-ack']).toContain(hosts[0]!.reason);
    server.close();
  });
});

it('reads the XML in any cut, and only hosts that are up', () => {
  const text =
    '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun args="a &lt; b"><host><status state="up" reason="reset"/>' +
    '<address addr="10.0.0.1" addrtype="ipv4"/><address addr="00:11:22:33:44:55" addrtype="mac" vendor="&amp;"/></host>' +
    '<host><status state="down" reason="no-response"/><address addr="10.0.0.2" addrtype="ipv4"/></host>' +
    '<host><status state="up" reason="arp-response"/><address addr="fe80::1" addrtype="ipv6"/></host></nmaprun>';
  for (const size of [1, 7, 64, text.length]) {
    const seen: HostRecord[] = [];
    const xml = createHostsXml(10_000, (host) => seen.push(host));
    for (let i = 0; i < text.length; i += size) xml.write(text.slice(i, i + size));
    expect(seen).toEqual([{ address: 0x0a000001, reason: 'reset' }]);
  }
});
