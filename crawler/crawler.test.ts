import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLogger } from '../logging/logger.ts';
import { createSpool, type Spool } from '../logging/spool/spool.ts';
import { fakeManager } from '../test/support/fake-manager.ts';
import { type FakeIdentity, fakeAgent, fakeIdentity, helloOf, reply } from '../test/support/hello-agent.ts';
import { configOf } from './config.ts';
import { type Crawler, createCrawler } from './crawler.ts';

/** All of 127/8 is this machine: each test has a network of its own in it. */
let network: string;
let networks = 0;
let port: number;
let folder: string;
let manager: Awaited<ReturnType<typeof fakeManager>>;
let crawler: Crawler;
let spool: Spool;
const stops: (() => unknown)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-crawler-'));
  networks += 1;
  network = `127.${100 + (process.pid % 100)}.${networks}`;
  const probe = createServer().listen(0, `${network}.254`);
  await new Promise((resolve) => probe.once('listening', resolve));
  port = (probe.address() as { port: number }).port;
  await new Promise((resolve) => probe.close(resolve));
  manager = await fakeManager('secret');
});
afterEach(async () => {
  await crawler.stop();
  spool.close();
  await manager.stop();
  await Promise.all(stops.splice(0).map((stop) => stop()));
  rmSync(folder, { recursive: true });
});

function startCrawler(scans: Record<string, unknown> = {}, more: Record<string, unknown> = {}): void {
  const off = { period: '0s' };
  const config = configOf({
    managerUrl: manager.url,
    dataDir: folder,
    agentPort: port,
    ranges: [`${network}.0/24`],
    allowLoopback: true,
    scans: { whole: off, silent: off, noAgent: off, known: off, ...scans },
    probe: { timeLimit: '10s' },
    ...more,
  });
  spool = createSpool({ path: join(folder, 'spool.sqlite'), capBytes: 2 ** 20, source: 'crawler', now: Date.now });
  const sink = { add: (line: Parameters<Spool['append']>[0]) => spool.append(line) };
  const log = createLogger({ program: 'crawler', level: 'info', stderr: false, sinks: [sink] });
  crawler = createCrawler(config, { log, lines: spool, version: '0.1.0', token: () => 'secret', ca: undefined });
  crawler.start();
}
async function agent(host: number, identity: FakeIdentity, version = '0.1.0'): Promise<() => Promise<void>> {
  const hello = (socket: Parameters<typeof reply>[0]) => reply(socket, 200, helloOf(identity.id, { version }));
  const { stop } = await fakeAgent(identity, hello, { host: `${network}.${host}`, port });
  stops.push(stop);
  return stop;
}
const done = (id: string) => manager.until(manager.scans, (scan) => scan.id === id && scan.state === 'done');
const line = (text: string) => manager.until(manager.lines, (one) => one.message.startsWith(text));

it('finds the agents of a range, tells the manager, and logs what is new', async () => {
  const [one, two] = await Promise.all([fakeIdentity(), fakeIdentity()]);
  await Promise.all([agent(1, one), agent(200, two)]);
  startCrawler();
  await manager.ready();
  manager.run('first', `${network}.0/24`);
  expect(await done('first')).toMatchObject({ kind: 'whole', addresses: 256, scanned: 256, agents: 2, error: null });
  expect(manager.findings.map((finding) => finding.id).sort()).toEqual([one.id, two.id].sort());
  const told = await line('an agent appeared');
  expect(told).toMatchObject({ level: 'info', source: 'crawler', fields: { version: '0.1.0', state: 'unenrolled' } });
});

it('tells of an agent that vanishes, and of its return', async () => {
  const me = await fakeIdentity();
  const stop = await agent(5, me);
  startCrawler({ known: { period: '20ms' } });
  await manager.ready();
  manager.run('a', `${network}.0/24`);
  await done('a');
  await stop();
  expect(await line('an agent vanished')).toMatchObject({
    level: 'warn',
    fields: { address: `${network}.5`, id: me.id },
  });
  expect(await manager.until(manager.vanished, () => true)).toEqual({ address: `${network}.5`, port });
  manager.lines.length = 0;
  await agent(5, me);
  manager.run('b', `${network}.5/32`);
  expect(await line('an agent appeared')).toMatchObject({ fields: { id: me.id } });
});

it('tells of another version, of a move, and of another key at a known address', async () => {
  const [me, other] = await Promise.all([fakeIdentity(), fakeIdentity()]);
  const stopOld = await agent(5, me);
  startCrawler();
  await manager.ready();
  manager.run('a', `${network}.5/32`);
  await done('a');
  await stopOld();
  const stopNew = await agent(5, me, '0.2.0');
  manager.run('b', `${network}.5/32`);
  expect(await line('an agent runs another version')).toMatchObject({ fields: { from: '0.1.0', to: '0.2.0' } });
  await stopNew();
  const stopMoved = await agent(6, me, '0.2.0');
  manager.run('c', `${network}.6/32`);
  expect(await line('an agent moved')).toMatchObject({ fields: { address: `${network}.6`, from: `${network}.5` } });
  await stopMoved();
  await agent(6, other);
  manager.run('d', `${network}.6/32`);
  expect(await line('another key answers')).toMatchObject({ level: 'error', fields: { id: other.id, from: me.id } });
});

it('alarms when one agent answers at two addresses', async () => {
  const me = await fakeIdentity();
  await Promise.all([agent(8, me), agent(9, me)]);
  startCrawler();
  await manager.ready();
  manager.run('a', `${network}.0/24`);
  expect(await line('one agent answers at two addresses')).toMatchObject({ level: 'error', fields: { id: me.id } });
});

it('lives among several hundred rogues and still finds the one agent', async () => {
  const [me, victim] = await Promise.all([fakeIdentity(), fakeIdentity()]);
  const banner = Buffer.alloc(65_536, 'A');
  const pour = (socket: Socket) => {
    const more = () => {
      while (!socket.destroyed) if (!socket.write(banner)) return void socket.once('drain', more);
    };
    more();
  };
  const behaviours: ((socket: Socket) => void)[] = [
    () => {},
    pour,
    (socket) => socket.end('<html><script>alert(1)</script>'),
    (socket) => socket.end('HTTP/1.1 302 X\r\nlocation: http://127.0.0.1/\r\n\r\n'),
    (socket) => socket.destroy(),
  ];
  const rogue = async (host: number) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => socket.destroy()));
      behaviours[host % behaviours.length]!(socket);
    });
    await new Promise<void>((resolve) => server.listen(port, `${network}.${host}`, resolve));
    stops.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  };
  await Promise.all(Array.from({ length: 250 }, (_, host) => rogue(host)));
  await agent(251, me);
  // Says that it is somebody else.
  const liar = await fakeIdentity();
  const lie = (socket: Parameters<typeof reply>[0]) => reply(socket, 200, helloOf(victim.id));
  stops.push((await fakeAgent(liar, lie, { host: `${network}.252`, port })).stop);

  startCrawler({}, { probe: { timeLimit: '2s', parallel: 64 } });
  await manager.ready();
  manager.run('s', `${network}.0/24`);
  expect(await done('s')).toMatchObject({ agents: 1 });
  expect(manager.findings).toHaveLength(252);
  expect(manager.findings.filter((finding) => finding.id !== null).map((finding) => finding.id)).toEqual([me.id]);
  expect(JSON.stringify(manager.findings)).not.toMatch(/<|alert|location/);
});

it('never scans outside its ranges, whatever the manager says', async () => {
  startCrawler({}, { nmap: '/no/such/nmap' });
  await manager.ready();
  for (const range of ['10.0.0.0/24', '127.0.0.0/16', '-iL/etc/passwd', '127.0.0.1']) manager.run(`x${range}`, range);
  for (const range of ['10.0.0.0/24', '127.0.0.0/16', '-iL/etc/passwd', '127.0.0.1'])
    expect(await manager.until(manager.scans, (scan) => scan.id === `x${range}`)).toMatchObject({ state: 'failed' });
});

it('says in one clear line that nmap is missing, and goes on', async () => {
  const me = await fakeIdentity();
  await agent(3, me);
  startCrawler({ known: { period: '20ms' } }, { nmap: '/no/such/nmap' });
  await manager.ready();
  manager.run('s', `${network}.0/24`);
  const failed = await manager.until(manager.scans, (scan) => scan.state === 'failed');
  expect(failed.error).toContain('apt-get install nmap');
  expect((await line('a scan failed')).level).toBe('warn');
  // Enrolled hosts are watched without nmap.
  manager.known([{ address: `${network}.3`, port, id: me.id }]);
  expect(await manager.until(manager.findings, (finding) => finding.id === me.id)).toBeDefined();
});

it('connects again by itself, tells everything again, and sends refused lines until they are taken', async () => {
  const me = await fakeIdentity();
  await agent(3, me);
  manager.refuseLines = true;
  startCrawler();
  await manager.ready();
  manager.run('s', `${network}.0/24`);
  await done('s');
  expect(manager.lines).toEqual([]);
  manager.refuseLines = false;
  manager.findings.length = 0;
  manager.cut();
  await manager.ready();
  expect(await manager.until(manager.findings, (finding) => finding.id === me.id)).toMatchObject({ scanId: 'resync' });
  expect(await line('an agent appeared')).toBeDefined();
  expect(manager.lines.filter((one) => one.message === 'an agent appeared')).toHaveLength(1);
});

it('knows after a restart what it knew before, and starts empty when its book is damaged', async () => {
  const me = await fakeIdentity();
  await agent(3, me);
  startCrawler();
  await manager.ready();
  manager.run('s', `${network}.0/24`);
  await done('s');
  await crawler.stop();
  spool.close();
  manager.findings.length = 0;
  startCrawler();
  expect(await manager.until(manager.findings, (finding) => finding.id === me.id)).toMatchObject({ scanId: 'resync' });

  await crawler.stop();
  spool.close();
  writeFileSync(join(folder, 'book.json'), '{"agents":[{"id":"<script>"}]');
  startCrawler();
  await manager.ready();
  expect(await line('the book of known addresses could not be read')).toBeDefined();
});
