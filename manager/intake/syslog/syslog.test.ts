import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewLine } from '../../../common/model/line.ts';
import { SELF_SIGNED as certificate } from '../../../test/support/self-signed.ts';
import type { OutsideSender } from '../outside/ports.ts';
import { createSyslog } from './syslog.ts';

const LOGGER = '/usr/bin/logger';
const run = promisify(execFile);

let lines: NewLine[];
let refused: [string, string][];
let [dropped, pauseMs, asked] = [0, 0, 0];
let syslog: ReturnType<typeof createSyslog>;
let look: () => void;

/** Resolves when the test holds: asked after each thing that happens at the door. */
const until = (test: () => boolean) =>
  new Promise<void>((resolve) => {
    look = () => test() && resolve();
    look();
  });

async function open(
  over: { tcpPort?: number; allow?: string[]; maxPerAddress?: number; maxConnections?: number } = {},
) {
  syslog = createSyslog(
    {
      ...{
        udpPort: 0,
        tcpPort: 0,
        tlsPort: 0,
        listen: '127.0.0.1',
        allow: ['127.0.0.0/8'],
        maxConnections: 10,
        maxPerAddress: 4,
      },
      ...{ maxMessageBytes: 4_096, idleMs: 60_000 },
      ...over,
    },
    {
      log: { info: () => {}, warn: () => {}, error: () => {} },
      nowMs: Date.now,
      tls: () => certificate,
      door: {
        offer(_sender, line) {
          lines.push(line);
          look();
          return true;
        },
        dropped(_sender, _reason, count) {
          dropped += count;
          look();
        },
        refused(sender: OutsideSender, reason) {
          refused.push([sender.name, reason]);
          look();
        },
        pauseMs() {
          asked += 1;
          look();
          return pauseMs;
        },
      },
    },
  );
  await syslog.start();
}
const portOf = (way: 'syslog-udp' | 'syslog-tcp' | 'syslog-tls') => Number(syslog.listens(way)!.split(':').at(-1));

beforeEach(() => {
  [lines, refused, dropped, pauseMs, asked, look] = [[], [], 0, 0, 0, () => {}];
});
afterEach(() => syslog.stop());

async function tcp(text: string | Buffer, from = '127.0.0.1') {
  const socket = connect({ port: portOf('syslog-tcp'), host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

describe.runIf(existsSync(LOGGER))('logger(1)', () => {
  it.each([
    ['UDP, RFC 5424', 'syslog-udp', ['--udp', '--rfc5424']],
    ['UDP, RFC 3164', 'syslog-udp', ['--udp', '--rfc3164']],
    ['TCP, RFC 5424, counted', 'syslog-tcp', ['--tcp', '--rfc5424', '--octet-count']],
    ['TCP, RFC 3164, line by line', 'syslog-tcp', ['--tcp', '--rfc3164']],
  ] as const)('is understood over %s', async (_name, way, args) => {
    await open();
    const to = ['--server', '127.0.0.1', '--port', String(portOf(way)), '--tag', 'backup', '--id=4711'];
    await run(LOGGER, [...to, ...args, '--priority', 'local3.warning', '--', 'disk "sda" is [full]: 98 %']);
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ level: 'warn', unit: 'backup', message: 'disk "sda" is [full]: 98 %' });
    expect(lines[0]!.fields).toMatchObject({ facility: 'local3', procid: '4711', sender: '127.0.0.1', via: way });
    expect(lines[0]!.fields!['malformed']).toBeUndefined();
    expect(lines[0]!.fields!['hostname']).toBeTruthy();
    expect(Math.abs(lines[0]!.tsMs - Date.now())).toBeLessThan(120_000);
  });

  it('sends structured data', async () => {
    await open();
    const to = ['--server', '127.0.0.1', '--port', String(portOf('syslog-udp')), '--udp', '--rfc5424'];
    await run(LOGGER, [...to, '--sd-id', 'zoo@123', '--sd-param', 'tiger="hungry"', '--msgid', 'M1', '--', 'x']);
    await until(() => lines.length === 1);
    expect(lines[0]!.fields).toMatchObject({ 'zoo@123': { tiger: 'hungry' }, msgid: 'M1' });
  });
});

describe('syslog over TCP', () => {
  it('takes many messages of one connection in order, and the last one without a line end', async () => {
    await open();
    const socket = await tcp(`${Array.from({ length: 2_000 }, (_, i) => `<13>a: m${i}\n`).join('')}<13>a: last`);
    socket.end();
    await until(() => lines.length === 2_001);
    expect(lines.map(({ message }) => message)).toEqual([...Array.from({ length: 2_000 }, (_, i) => `m${i}`), 'last']);
  });

  it('holds a sender up instead of dropping what it sends', async () => {
    await open();
    pauseMs = 5;
    const socket = await tcp('<13>a: waits\n');
    await until(() => asked >= 3);
    expect(lines).toEqual([]);
    pauseMs = 0;
    await until(() => lines.length === 1);
    expect(dropped).toBe(0);
    socket.destroy();
  });

  it('cuts what is too long, of whatever kind, and goes on behind it', async () => {
    await open();
    const socket = await tcp(`<13>a: ${'x'.repeat(1_000_000)}\n999999999 ${'y'.repeat(10_000)}`);
    await until(() => lines.length === 1);
    socket.end();
    await until(() => lines.length === 2);
    expect(lines.map(({ message }) => message.length)).toEqual([4_096 - '<13>a: '.length, 4_096]);
    expect(lines[0]!.fields!['messageBytes']).toBe(1_000_007);
    expect(lines[1]!.fields).toMatchObject({ brokenOff: true, malformed: 'no priority' });
  });

  it('closes what comes from elsewhere, and what is too much from one address', async () => {
    await open({ allow: ['127.0.0.1'], maxPerAddress: 2 });
    const stranger = await tcp('<13>a: hello\n', '127.0.0.9');
    await once(stranger, 'close');
    expect(refused).toEqual([['addresses that are not allowed', 'sent from an address that is not allowed']]);
    const sockets = [await tcp('<13>a: 1\n'), await tcp('<13>a: 2\n')];
    await until(() => lines.length === 2);
    await once(await tcp('<13>a: 3\n'), 'close');
    expect(refused[1]).toEqual(['127.0.0.1', 'more connections than are allowed']);
    sockets[0]!.destroy();
    expect(lines.map(({ message }) => message).sort()).toEqual(['1', '2']);
  });
});

describe('syslog over TLS', () => {
  it('is read as over TCP, from a sender that proves who we are', async () => {
    await open();
    const trust = { ca: certificate.cert, host: '127.0.0.1', servername: 'localhost' };
    const socket = connectTls({ port: portOf('syslog-tls'), ...trust });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    for (let i = 0; i < 500; i += 1)
      socket.write(`${Buffer.byteLength(`<11>1 - h a - - - m${i} ü`)} <11>1 - h a - - - m${i} ü`);
    await until(() => lines.length === 500);
    expect(lines.at(-1)).toMatchObject({ level: 'error', message: 'm499 ü', fields: { via: 'syslog-tls' } });
    socket.end();
  });

  it('refuses who may not send before the handshake, and who speaks no TLS', async () => {
    await open({ allow: ['127.0.0.1'] });
    const stranger = connect({ port: portOf('syslog-tls'), host: '127.0.0.1', localAddress: '127.0.0.9' });
    stranger.on('error', () => {});
    await once(stranger, 'close');
    const plain = connect(portOf('syslog-tls'), '127.0.0.1');
    plain.on('error', () => {});
    plain.write('<13>a: plain text\n');
    await once(plain, 'close');
    await until(() => refused.length === 2);
    expect(refused).toEqual([
      ['addresses that are not allowed', 'sent from an address that is not allowed'],
      ['127.0.0.1', 'the TLS handshake failed'],
    ]);
    expect(lines).toEqual([]);
  });
});

describe('the orderly end', () => {
  it('reads what is on its way, and what a sender adds that has not seen it yet', async () => {
    await open();
    const socket = await tcp('<13>a: m0\n');
    await until(() => lines.length === 1);
    for (let i = 1; i < 3_000; i += 1) socket.write(`<13>a: m${i}\n`);
    const seen = once(socket, 'end');
    const stopped = syslog.stop();
    await seen;
    await stopped;
    expect(lines.map(({ message }) => message)).toEqual(Array.from({ length: 3_000 }, (_, i) => `m${i}`));
  });

  it('waits for nobody for long', async () => {
    await open();
    const socket = connect({ port: portOf('syslog-tcp'), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('<13>a: x\n');
    await until(() => lines.length === 1);
    await syslog.stop();
    socket.destroy();
  });
});

it('says which port cannot be opened, and why', async () => {
  await open();
  const first = syslog;
  await expect(open({ tcpPort: portOf('syslog-tcp') })).rejects.toThrow(
    /intake\.syslog\.tcpPort: port \d+ .*another program/,
  );
  await first.stop();
});

describe('syslog over UDP', () => {
  it('takes what may send, counts what may not, and drops unread what is too much', async () => {
    await open({ allow: ['127.0.0.1'] });
    const [good, bad] = [createSocket('udp4'), createSocket('udp4')];
    await Promise.all([
      new Promise<void>((resolve) => good.bind(0, '127.0.0.1', resolve)),
      new Promise<void>((resolve) => bad.bind(0, '127.0.0.9', resolve)),
    ]);
    bad.send('<13>a: no', portOf('syslog-udp'), '127.0.0.1');
    await until(() => refused.length === 1);
    good.send(Buffer.concat([Buffer.from('<13>a: '), Buffer.alloc(9_000, 'x')]), portOf('syslog-udp'), '127.0.0.1');
    await until(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ unit: 'a', fields: { messageBytes: 9_007 } });
    pauseMs = 10;
    good.send('<13>a: flood', portOf('syslog-udp'), '127.0.0.1');
    await until(() => dropped === 1);
    expect(lines).toHaveLength(1);
    good.close();
    bad.close();
  });
});
