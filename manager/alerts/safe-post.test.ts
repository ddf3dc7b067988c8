import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blockList } from './net-blocks.ts';
import { createPost, type Post } from './safe-post.ts';

let canary: Server;
let port: number;
let asked: string[];

beforeAll(async () => {
  canary = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host}`);
    request.resume();
    if (request.url === '/redirect') answer.writeHead(302, { location: `http://127.0.0.1:${port}/inner` });
    else if (request.url === '/endless') {
      answer.writeHead(200);
      const more = () => answer.write(Buffer.alloc(65_536)) && setImmediate(more);
      answer.on('drain', more).on('close', () => answer.removeAllListeners('drain'));
      more();
      return;
    } else if (request.url === '/silent') return;
    else if (request.url === '/gone') answer.writeHead(410);
    else if (request.url === '/broken') answer.writeHead(500);
    answer.end('<b>said\u0007</b>');
  });
  await new Promise<void>((done) => canary.listen(0, '127.0.0.1', done));
  ({ port } = canary.address() as AddressInfo);
});
afterAll(() => {
  canary.closeAllConnections();
  canary.close();
});
beforeEach(() => {
  asked = [];
});

/** Names as somebody who controls a domain would point them. */
const NAMES: Record<string, string[]> = {
  'loop.example': ['127.0.0.1'],
  'mixed.example': ['93.184.216.34', '127.0.0.1'],
  'mixed6.example': ['2606:2800:220:1::1', '::1'],
  'private.example': ['10.0.0.1'],
  'meta.example': ['169.254.169.254'],
  'ula.example': ['fd00::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nothing.example': [],
  'own.example': ['198.51.100.77'],
};
const resolve = async (host: string) => {
  if (NAMES[host] === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return NAMES[host].map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};
const postWith = (allowed: string[], more: Partial<Parameters<typeof createPost>[0]> = {}): Post =>
  createPost(
    { allowed: blockList(allowed), limitMs: 20_000, limitAnswerBytes: 100_000, ...more },
    { resolve, ownAddresses: () => new Set(['8.8.4.4']) },
  );
const refusal = (url: string, post = postWith([])) =>
  post(url, '{}', {}).then(
    () => 'sent',
    (error: Error) => error.message,
  );

const CLOSED = [
  ...['127.0.0.1', '127.1', '127.0.0.2', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.1', '017700000001'],
  ...['0177.0.0.1', '0', '0.0.0.0', '0.1.2.3', '127.0.0.1.', '１２７.0.0.1', '127。0。0。1', '%31%32%37.0.0.1'],
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255', '167772161'],
  ...['169.254.169.254', '169.254.0.1', '0xa9fea9fe', '2852039166', '169.254.170.2', '100.64.0.1', '100.100.100.200'],
  ...['192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1'],
  ...['224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '8.8.4.4'],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:10.0.0.1]'],
  ...['[::ffff:8.8.8.8]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b::a9fe:a9fe]', '[64:ff9b:1::1]', '[100::1]'],
  ...['[fc00::1]', '[fd00::1]', '[fd00:ec2::254]', '[fe80::1]', '[fec0::1]', '[ff02::1]', '[2001::1]', '[2001:db8::1]'],
  ...['[2002:7f00:1::1]', '[2002:a9fe:a9fe::1]', '[3fff::1]', '[5f00::1]'],
  ...['loop.example', 'LOOP.example', 'mixed.example', 'mixed6.example', 'private.example', 'meta.example'],
  ...['ula.example', 'mapped.example', 'nothing.example', 'unknown.example', 'own.example'],
];
const MALFORMED = [
  ...['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1:11211/', 'data:text/plain,x', 'javascript:1'],
  ...['unix:/run/x.sock', 'http://user:pass@example.org/', 'http://user@127.0.0.1/', '//127.0.0.1/', 'http://', ''],
];

describe('an address that a hook may not have (S21)', () => {
  it(`is one of ${CLOSED.length + MALFORMED.length} cases`, () => {
    expect(CLOSED.length + MALFORMED.length).toBeGreaterThanOrEqual(80);
  });

  it.each(CLOSED)('%s', async (host) => {
    expect(await refusal(`http://${host}:${port}/`)).toMatch(/^Nothing is sent to|cannot be resolved|no address/);
    expect(asked).toEqual([]);
  });

  it.each(MALFORMED)('%j', async (url) => {
    expect(await refusal(url)).toMatch(/Only http|not an address|not taken/);
    expect(asked).toEqual([]);
  });
});

describe('a network that an admin has opened', () => {
  it('is reached by name, at the address that was judged: a name that moves meanwhile is not asked again', async () => {
    let times = 0;
    const post = createPost(
      { allowed: blockList(['127.0.0.1']), limitMs: 20_000, limitAnswerBytes: 1_000 },
      {
        ownAddresses: () => new Set(['127.0.0.1']),
        resolve: async () => {
          times += 1;
          return [{ address: times === 1 ? '127.0.0.1' : '127.0.0.9', family: 4 }];
        },
      },
    );
    expect(await post(`http://rebind.example:${port}/a`, '{}', {})).toEqual({ status: 200 });
    expect(times).toBe(1);
    expect(asked).toEqual([`POST /a rebind.example:${port}`]);
  });

  it('opens nothing beside it, and nothing in other clothes', async () => {
    const post = postWith(['127.0.0.1/32', 'fd00:1::/32']);
    expect(await refusal(`http://127.0.0.1:${port}/`, post)).toBe('sent');
    expect(await refusal(`http://2130706433:${port}/`, post)).toBe('sent');
    for (const host of ['127.0.0.2', '[::ffff:127.0.0.1]', '[::1]', 'mixed6.example', '[fd00:2::1]'])
      expect(await refusal(`http://${host}:${port}/`, post)).toContain('Nothing is sent');
    expect(() => blockList(['10.0.0.0/33'])).toThrow(/10\.0\.0\.0\/33/);
    expect(() => blockList(['example.org'])).toThrow();
  });

  it('never follows a redirect, reads without end or waits for ever', async () => {
    const post = postWith(['127.0.0.1']);
    expect(await refusal(`http://127.0.0.1:${port}/redirect`, post)).toContain('redirects are not followed');
    expect(asked.map((one) => one.split(' ')[1])).toEqual(['/redirect']);
    expect(await refusal(`http://127.0.0.1:${port}/endless`, post)).toBe('sent');
    expect(await refusal(`http://127.0.0.1:${port}/silent`, postWith(['127.0.0.1'], { limitMs: 50 }))).toContain(
      'no answer in time',
    );
    expect(await refusal(`http://127.0.0.1:${port}/broken`, post)).toBe('It answered 500: <b>said </b>');
    expect(await refusal('http://127.0.0.1:1/', post)).toContain('ECONNREFUSED');
    await expect(post(`http://127.0.0.1:${port}/gone`, '', {})).rejects.toMatchObject({ isFinal: true });
  });
});
