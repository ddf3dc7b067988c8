import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Edge, PASSWORD, startEdge } from '../../test/support/edge.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
let nowMs: number;
let edge: Edge;
beforeEach(async () => {
  nowMs = Date.parse('2030-01-01');
  edge = await startEdge({ now: () => nowMs });
});
afterEach(() => edge.stop());

type Made = { id: string; token: string };

async function make(headers: Record<string, string>, body: object): Promise<Made> {
  const answer = await edge.ask('/api/v1/tokens', {
    method: 'POST',
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.json.data;
}
const me = (token: string) => edge.ask('/api/v1/me', { headers: { Authorization: `Bearer ${token}` } });

it('shows a token once, keeps its hash, and ends it at once when it is removed', async () => {
  const { headers } = await edge.signIn();
  const ended: string[] = [];
  edge.bus.on('credential-ended', ({ credentialId }) => ended.push(credentialId));
  const made = await make(headers, { name: 'report' });
  expect(made.token).toMatch(/^wv_[\w-]{43}$/);
  expect((await me(made.token)).json.data).toEqual({
    email: 'admin@localhost',
    role: 'admin',
    csrfToken: null,
    version: '0.0.0',
  });
  const list = await edge.ask('/api/v1/tokens', { headers });
  expect(list.json.data).toEqual([
    { id: made.id, name: 'report', createdMs: nowMs, expiresMs: null, lastUsedMs: nowMs },
  ]);
  expect(list.text).not.toContain(made.token);
  const principal = edge.auth.authenticate({ authorization: `bearer ${made.token}` })!;
  expect(edge.auth.isStillValid(principal)).toBe(true);
  expect((await edge.ask(`/api/v1/tokens/${made.id}`, { method: 'DELETE', headers })).status).toBe(200);
  expect((await me(made.token)).json.err).toBe('bad-token');
  expect(edge.auth.isStillValid(principal)).toBe(false);
  expect(ended).toEqual([made.id]);
  expect((await edge.ask(`/api/v1/tokens/${made.id}`, { method: 'DELETE', headers })).status).toBe(404);
  expect(edge.audits.map(({ message }) => message)).toEqual([
    'signed in',
    'token made',
    'token removed',
    'request refused',
  ]);
  expect(JSON.stringify(edge.audits)).not.toContain(made.token);
});

it('refuses a token from its last moment on, and one that is made too late', async () => {
  const { headers } = await edge.signIn();
  const made = await make(headers, { name: 'short', expiresMs: nowMs + 1000 });
  nowMs += 999;
  expect((await me(made.token)).status).toBe(200);
  nowMs += 1;
  expect((await me(made.token)).status).toBe(401);
  const late = await edge.ask('/api/v1/tokens', {
    method: 'POST',
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify({ name: 'x', expiresMs: nowMs }),
  });
  expect(late.json.message).toContain('body.expiresMs');
});

it('lets nobody remove what is another’s', async () => {
  const { headers } = await edge.signIn();
  const made = await make(headers, { name: 'mine' });
  const other = edge.bearer('admin');
  expect((await edge.ask(`/api/v1/tokens/${made.id}`, { method: 'DELETE', headers: other.headers })).status).toBe(404);
  expect((await edge.ask('/api/v1/tokens', { headers: other.headers })).text).not.toContain(made.id);
  expect((await me(made.token)).status).toBe(200);
});

it('gives our own parts their tokens, readable by their owner alone, and heals them', async () => {
  const read = (file: string) => readFileSync(join(edge.dataDir, 'local', file), 'utf8').trim();
  const [admin, crawler] = [read('admin.token'), read('crawler.token')];
  expect((await me(admin)).json.data).toMatchObject({ email: 'local', role: 'admin' });
  expect((await me(crawler)).json.err).toBe('forbidden');
  await edge.restartAuth(PASSWORD);
  expect(read('admin.token')).toBe(admin);
  for (const broken of [`${admin}x`, '', crawler]) {
    const path = join(edge.dataDir, 'local', 'admin.token');
    writeFileSync(path, broken);
    chmodSync(path, 0o644);
    await edge.restartAuth(PASSWORD);
    expect((await me(read('admin.token'))).json.data).toMatchObject({ email: 'local', role: 'admin' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }
  expect((await me(admin)).json.err).toBe('bad-token');
  expect(read('crawler.token')).toBe(crawler);
});
