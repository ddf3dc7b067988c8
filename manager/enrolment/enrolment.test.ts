import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEdge } from '../../test/support/edge.ts';
import { enrolClient, tryEnrol } from '../../test/support/enrol-client.ts';
import type { StateStore } from '../store/ports.ts';
import { openStateStore } from '../store/sqlite/open.ts';
import { createEnrolment, type Enrolment } from './enrolment.ts';

let folder: string;
let state: StateStore;
let enrolment: Enrolment;
let port: number;
let nowMs: number;
let audits: { level: string; message: string; fields: Record<string, unknown> }[];
let enrolled: string[];
const stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webvirt-enrol-'));
  state = openStateStore(join(folder, 'state.sqlite'));
  nowMs = Date.now();
  audits = [];
  enrolled = [];
  enrolment = await openEnrolment();
  const edge = await startEdge({ routes: enrolment.routes, deps: { tls: enrolment.tls() } });
  port = edge.port;
  stops.push(edge.stop);
});
afterEach(async () => {
  enrolment.stop();
  await Promise.all(stops.splice(0).map((stop) => stop()));
  state.close();
  rmSync(folder, { recursive: true });
});

function openEnrolment(): Promise<Enrolment> {
  return createEnrolment(
    { dataDir: folder, names: ['manager.test'], listen: '127.0.0.1', port: () => port },
    {
      tokens: state.enrolTokens,
      hosts: state.hosts,
      settings: state.settings,
      onEnrolled: (id) => enrolled.push(id),
      audit: (level, message, fields) => void audits.push({ level, message, fields }),
      now: () => nowMs,
    },
  );
}
const alarms = () => audits.filter((audit) => audit.level === 'error');
const newToken = (agent: string | null = null) => enrolment.createToken({ agent, actor: 'admin@localhost' }).text;

it('enrols an agent: certificate of a year with its id as the only name, host on record, audit line', async () => {
  const client = await enrolClient();
  const outcome = await tryEnrol(port, { token: newToken(client.id), client, port: 4777 });
  expect(outcome).toMatchObject({ status: 200, err: null });
  const cert = new X509Certificate(outcome.data!.cert);
  expect(cert.subjectAltName).toBe(`DNS:${client.id}`);
  expect(cert.verify(new X509Certificate(outcome.data!.ca).publicKey)).toBe(true);
  expect(Date.parse(cert.validTo) - nowMs).toBeCloseTo(365 * 86_400_000, -4);
  expect(cert.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  expect(state.hosts.get(client.id)).toMatchObject({ address: '127.0.0.1', port: 4777, enrolledBy: 'admin@localhost' });
  expect(enrolled).toEqual([client.id]);
  expect(audits).toMatchObject([{ level: 'info', message: 'agent enrolled', fields: { agent: client.id } }]);
  expect(JSON.stringify(audits)).not.toContain('secret');
});

it('makes certificates with which manager and agent meet by mTLS, and others do not', async () => {
  const client = await enrolClient();
  const { data } = await tryEnrol(port, { token: newToken(), client });
  const server = createServer(
    { key: client.key, cert: data!.cert, ca: data!.ca, requestCert: true, minVersion: 'TLSv1.3' },
    (socket) => socket.on('error', () => {}).end('hello'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => new Promise((resolve) => server.close(resolve)));
  const agentPort = (server.address() as { port: number }).port;
  const meet = (tls: object) =>
    new Promise<string>((resolve) => {
      const socket = connectTls({ port: agentPort, host: '127.0.0.1', servername: client.id, ...tls });
      socket.once('data', (data) => resolve(data.toString())).once('error', (error) => resolve(error.message));
      socket.once('close', () => resolve('closed'));
    });
  const link = enrolment.linkTls();
  expect(await meet(link)).toBe('hello');
  expect(new X509Certificate(link.cert).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(await meet({ ca: link.ca })).not.toBe('hello');
  expect(await meet({ ...link, servername: 'f'.repeat(32) })).toContain('altnames');
});

it('refuses a second use and raises the alarm', async () => {
  const token = newToken();
  expect((await tryEnrol(port, { token, client: await enrolClient() })).status).toBe(200);
  const second = await tryEnrol(port, { token, client: await enrolClient() });
  expect(second).toMatchObject({ status: 401, err: 'bad-token' });
  expect(alarms()).toHaveLength(1);
  expect(state.hosts.list()).toHaveLength(1);
});

it('lets one of twenty requests at the same time win, and alarms for the others that came so far', async () => {
  const token = newToken();
  const clients = await Promise.all(Array.from({ length: 20 }, () => enrolClient()));
  const outcomes = await Promise.all(clients.map((client) => tryEnrol(port, { token, client })));
  expect(outcomes.filter((one) => one.status === 200)).toHaveLength(1);
  expect(state.hosts.list()).toHaveLength(1);
  expect(enrolled).toHaveLength(1);
  expect(alarms().length).toBeGreaterThan(0);
});

it.each([
  ['expired token', async () => ({ token: newToken(), late: 15 * 60_000 })],
  ['token of another agent', async () => ({ token: newToken((await enrolClient()).id) })],
  ['unknown token', async () => ({ token: newToken(), tokenId: '0'.repeat(16) })],
  ['wrong proof of the secret', async () => ({ token: newToken(), secret: 'guess' })],
  // What a relay could send on: the proof of another connection.
  ['wrong proof of the secret', async () => ({ token: newToken(), exporter: (e: Buffer) => Buffer.from(e).reverse() })],
  ['not a certificate request', async () => ({ token: newToken(), csr: 'hello' })],
  [
    'not a certificate request',
    async () => ({
      token: newToken(),
      csr: `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(4000)}\n-----END CERTIFICATE REQUEST-----`,
    }),
  ],
])('refuses: %s', async (refusal, make) => {
  const wish: { token: string; late?: number } = await make();
  nowMs += wish.late ?? 0;
  const outcome = await tryEnrol(port, { ...wish, client: await enrolClient() });
  expect(outcome).toEqual({ status: 401, err: 'bad-token', data: null });
  expect(audits).toMatchObject([{ level: 'warn', fields: { refusal } }]);
  expect(state.hosts.list()).toEqual([]);
});

it('refuses a request that another key signed, whoever knows the secret', async () => {
  const [mine, victim] = await Promise.all([enrolClient(), enrolClient()]);
  const [a, b] = [await mine.csr(), await victim.csr()].map((pem) =>
    Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'),
  ) as [Buffer, Buffer];
  // The victim's request with the last bytes, its signature, from ours.
  const forged = Buffer.concat([b.subarray(0, b.length - 32), a.subarray(a.length - 32)]);
  const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
  expect((await tryEnrol(port, { token: newToken(victim.id), client: mine, csr })).status).toBe(401);
  expect(audits[0]!.fields['refusal']).toBe('wrong signature of the request');
});

it('lets guessing end after a few tries per address, and the right ones of others through', async () => {
  const client = await enrolClient();
  const good = newToken(client.id);
  const statuses = new Map<number, number>();
  for (let i = 0; i < 40; i += 1) {
    const { status } = await tryEnrol(port, { token: good, secret: `guess ${i}`, client });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect(statuses).toEqual(
    new Map([
      [401, 10],
      [429, 30],
    ]),
  );
  expect((await tryEnrol(port, { token: good, client })).status).toBe(429);
  nowMs += 6_000;
  expect((await tryEnrol(port, { token: good, client })).status).toBe(200);
});

it('is only to be had by TLS', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/enrol`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tokenId: '0'.repeat(16), csr: 'x', mac: '0'.repeat(64), port: 1, name: 'x' }),
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('https');
});

it('keeps its CA over a restart, the key readable by the owner alone, and will not run on half of one', async () => {
  const again = await openEnrolment();
  expect(again.ca.hash).toBe(enrolment.ca.hash);
  expect(again.tls().cert).toBe(enrolment.tls().cert);
  expect(statSync(join(folder, 'ca/ca.key')).mode & 0o777).toBe(0o600);
  expect(new X509Certificate(again.tls().cert).checkHost('manager.test')).toBeTruthy();
  expect(new X509Certificate(again.tls().cert).checkIP('127.0.0.1')).toBeTruthy();
  rmSync(join(folder, 'ca/ca.key'));
  await expect(openEnrolment()).rejects.toMatchObject({ code: 'bad-config' });
});

it('leaves a file for the local agent until that was enrolled and reached', async () => {
  const path = join(folder, 'local/enrol.json');
  enrolment.start();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const { url, token } = JSON.parse(readFileSync(path, 'utf8')) as { url: string; token: string };
  expect(url).toBe(`https://127.0.0.1:${port}`);
  const client = await enrolClient();
  expect((await tryEnrol(port, { token, client })).status).toBe(200);
  expect(existsSync(path)).toBe(false);

  // Killed between our answer and its writing it down, the agent needs another token.
  enrolment.start();
  expect(existsSync(path)).toBe(true);
  state.hosts.put({ ...state.hosts.get(client.id)!, seenMs: nowMs });
  enrolment.stop();
  enrolment.start();
  expect(existsSync(path)).toBe(false);
});

it('never lets a revoked agent back in with its old key', async () => {
  const client = await enrolClient();
  await tryEnrol(port, { token: newToken(), client });
  state.hosts.put({ ...state.hosts.get(client.id)!, revokedMs: nowMs });
  expect((await tryEnrol(port, { token: newToken(), client })).status).toBe(401);
  expect(alarms()).toHaveLength(1);
});
