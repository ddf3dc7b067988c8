import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Candidate, Scan } from '../../../common/model/discovery.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { candidateRoutes } from '../candidates/routes.ts';
import { scanRoutes } from './routes.ts';

let edge: Edge;
let admin: { headers: Record<string, string> };
let ranges: string[] | null;
let ran: { scanId: string; kind: string; range: string; actor: string }[];
let tokens: { agent: string; actor: string }[];
let dismissed: string[];
const scans = new Map<string, Scan>();
const candidates = new Map<string, Candidate>();
const audits: string[] = [];
const audit = (_level: string, message: string) => void audits.push(message);
const AGENT = 'a'.repeat(32);

beforeAll(async () => {
  const routes = [
    ...scanRoutes({
      scans: {
        list: (limit) => [...scans.values()].slice(0, limit),
        get: (id) => scans.get(id) ?? null,
        put: (scan) => void scans.set(scan.id, scan),
      },
      crawler: { ranges: () => ranges, run: (request) => ran.push(request) > 0 },
      onScan: () => undefined,
      audit,
    }),
    ...candidateRoutes({
      candidates: { list: () => [...candidates.values()], get: (id) => candidates.get(id) ?? null },
      inbox: { dismiss: (id) => candidates.has(id) && dismissed.push(id) > 0 },
      enrolment: {
        createToken(order) {
          tokens.push(order);
          return { id: 'f'.repeat(16), text: 'wv1.hash.id.secret', expiresMs: 5 };
        },
        command: (origin, token) => `sudo webvirt agent enrol ${origin} ${token.text}`,
        defaultOrigin: () => 'https://10.0.0.1:4600',
      },
      audit,
    }),
  ];
  edge = await startEdge({ routes });
  admin = { headers: { 'Content-Type': 'application/json', ...edge.bearer('admin').headers } };
});
afterAll(() => edge.stop());
beforeEach(() => {
  ranges = ['10.77.0.0/24', '10.78.0.0/16', '127.0.0.1/32'];
  [ran, tokens, dismissed] = [[], [], []];
  scans.clear();
  candidates.clear();
  const words = { product: 'webvirt-agent', version: '1', claimedName: 'h', detail: null };
  const seen = { firstSeenMs: 1, lastSeenMs: 2, vanished: false };
  for (const [id, state] of [
    [AGENT, 'unenrolled'],
    ['10.0.0.6-4601', 'not-an-agent'],
  ] as const)
    candidates.set(id, { id, address: '10.0.0.5', port: 4601, state, ...words, ...seen });
});

const post = (path: string, body: unknown, headers = admin.headers) =>
  edge.ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
const ask = (method: string, path: string) => edge.ask(path, { method, headers: admin.headers });

it('starts a scan of a part of a configured range', async () => {
  const answer = await post('/api/v1/scans', { range: ' 10.78.4.0/24 ', kind: 'silent' });
  expect(answer.status).toBe(202);
  const { scan } = answer.json.data as { scan: Scan };
  expect(scan).toMatchObject({ range: '10.78.4.0/24', kind: 'silent', state: 'queued', actor: 'admin@test' });
  expect(ran).toEqual([{ scanId: scan.id, kind: 'silent', range: '10.78.4.0/24', actor: 'admin@test' }]);
  expect((await ask('GET', `/api/v1/scans/${scan.id}`)).json.data).toEqual(scan);
  expect((await ask('GET', '/api/v1/scans')).json.data).toEqual([scan]);
  expect((await post('/api/v1/scans', { range: '10.78.4.0/24', kind: 'silent' })).json.err).toBe('scan-running');
});

it('scans every configured range when none is named', async () => {
  for (const body of [{}, { range: '' }]) {
    scans.clear();
    expect((await post('/api/v1/scans', body)).status).toBe(202);
  }
  expect(ran.map((one) => one.range)).toEqual([...ranges!, ...ranges!]);
});

it.each([
  '10.79.0.0/24',
  '10.0.0.0/8',
  '127.0.0.2',
  '127.0.0.0/8',
  '::1',
  '-iL/etc/passwd',
  '169.254.169.254',
  '10.77.0.1/24',
])('refuses %s and runs nothing', async (range) => {
  const answer = await post('/api/v1/scans', { range });
  expect([answer.status, answer.json.err]).toEqual([400, 'bad-range']);
  expect(ran).toEqual([]);
  expect(scans.size).toBe(0);
});

it('says what to do when there is no crawler, or no range', async () => {
  ranges = null;
  expect((await post('/api/v1/scans', {})).json).toMatchObject({ err: 'not-ready' });
  ranges = [];
  expect((await post('/api/v1/scans', {})).json.message).toContain('"ranges"');
});

it('gives the one line to paste, bound to the agent', async () => {
  const answer = await post(`/api/v1/candidates/${AGENT}/enrol`, {});
  expect(answer.status).toBe(201);
  expect(answer.json.data).toEqual({
    token: 'wv1.hash.id.secret',
    command: 'sudo webvirt agent enrol https://10.0.0.1:4600 wv1.hash.id.secret',
    expiresMs: 5,
  });
  expect(tokens).toEqual([{ agent: AGENT, actor: 'admin@test' }]);
  expect(audits.at(-1)).toBe('enrolment token made');
  const named = await post(`/api/v1/candidates/${AGENT}/enrol`, { managerUrl: 'https://wv.example' });
  expect((named.json.data as { command: string }).command).toContain('enrol https://wv.example wv1');
  for (const managerUrl of [
    'http://wv.example',
    'https://x; rm -rf /',
    'https://x/;id',
    'https://$(id)',
    'javascript:x',
  ])
    expect((await post(`/api/v1/candidates/${AGENT}/enrol`, { managerUrl })).status).toBe(400);
});

it('makes no token for what is no unenrolled agent', async () => {
  expect((await post('/api/v1/candidates/10.0.0.6-4601/enrol', {})).json.err).toBe('wrong-state');
  expect((await post(`/api/v1/candidates/${'b'.repeat(32)}/enrol`, {})).json.err).toBe('not-found');
  expect(tokens).toEqual([]);
});

it('lists, reads and dismisses candidates', async () => {
  expect((await ask('GET', '/api/v1/candidates')).json.data).toHaveLength(2);
  expect((await ask('GET', `/api/v1/candidates/${AGENT}`)).json.data).toMatchObject({ claimedName: 'h' });
  expect((await ask('DELETE', `/api/v1/candidates/${AGENT}`)).status).toBe(200);
  expect((await ask('DELETE', `/api/v1/candidates/${'b'.repeat(32)}`)).json.err).toBe('not-found');
  expect(dismissed).toEqual([AGENT]);
});

it('is for admins alone', async () => {
  const service = { 'Content-Type': 'application/json', ...edge.bearer('service').headers };
  for (const path of ['/api/v1/scans', `/api/v1/candidates/${AGENT}/enrol`]) {
    expect((await post(path, {}, service)).status).toBe(403);
    expect((await post(path, {}, { 'Content-Type': 'application/json' } as never)).status).toBe(401);
  }
  expect(ran).toEqual([]);
});
