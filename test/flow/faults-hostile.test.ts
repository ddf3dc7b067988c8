import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Job } from '../../common/model/job.ts';
import { untilBody } from '../support/live.ts';
import { PASSWORD, type Stack, startStack } from '../support/stack.ts';

// The API as an enemy, or a tool that repeats itself, uses it: one effect, clear refusals, and nobody else is held up.

let stack: Stack;
let id: string;
beforeAll(async () => {
  stack = await startStack({ agent: true });
  const [instance] = await untilBody<Instance[]>(stack.socket(), '/api/v1/instances', (list) => list.length > 0);
  id = instance!.id;
  await untilBody<Host[]>(stack.socket(), '/api/v1/hosts', ([host]) => host?.state === 'online');
});
afterAll(() => stack?.stop());

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}
/** A call byte for byte as given: `fetch` would mend the path and the headers. */
function raw(method: string, path: string, headers: Record<string, string>, body?: string | Buffer): Promise<Answer> {
  const { hostname, port } = new URL(stack.url);
  return new Promise((resolve, reject) => {
    const call = request({ method, path, hostname, port, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode!, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
const bearer = () => ({ authorization: `Bearer ${stack.token}` });
const json = { 'content-type': 'application/json' };
const errOf = (answer: Answer) => (JSON.parse(answer.text) as { err: string | null }).err;
const jobs = () => stack.get<Job[]>('/api/v1/jobs');
const many = <T>(count: number, call: () => Promise<T>) => Promise.all(Array.from({ length: count }, call));
const act = (body: unknown) => stack.api<{ job: Job }>('POST', `/api/v1/instances/${id}/actions`, body);
const final = (job: Job) => !['planned', 'running'].includes(job.state);

async function signIn(): Promise<{ cookie: string; csrf: string }> {
  const answer = await raw(
    'POST',
    '/api/v1/sign-in',
    { ...json, origin: stack.url },
    JSON.stringify({ email: 'admin@localhost', password: PASSWORD }),
  );
  expect(answer.status, answer.text).toBe(200);
  const cookie = (answer.headers['set-cookie'] as string[]).map((one) => one.split(';')[0]).join('; ');
  return { cookie, csrf: (JSON.parse(answer.text) as { data: { csrfToken: string } }).data.csrfToken };
}

describe('a call that is sent again', () => {
  test.each([2, 10])('an action, %i times at once: one job, one effect, equal answers', async (count) => {
    const opId = `replay-action-${count}`;
    const body = { action: count === 2 ? 'pause' : 'resume', opId };
    const answers = await many(count, () => act(body));
    expect(answers.map(({ status, body }) => [status, body.data?.job.id])).toEqual(answers.map(() => [202, opId]));
    expect((await untilBody<Job>(stack.socket(), `/api/v1/jobs/${opId}`, final)).state).toBe('done');
    const late = await act(body);
    expect([late.status, late.body.data?.job.id]).toEqual([202, opId]);
    expect((await jobs()).filter((job) => job.id === opId)).toHaveLength(1);
    const page = () => stack.get<{ lines: { message: string }[] }>(`/api/v1/logs?job=${opId}&limit=500`);
    const asked = async () => (await page()).lines.filter((line) => /was asked for/.test(line.message)).length;
    await expect.poll(asked).toBe(1);
  });

  test.each([2, 10])('a batch, %i times at once: one job', async (count) => {
    const body = { ids: [id], action: 'reboot', opId: `replay-batch-${count}` };
    const before = (await jobs()).length;
    const answers = await many(count, () => stack.api<{ jobs: Job[] }>('POST', '/api/v1/instances/actions', body));
    const ids = answers.map(({ status, body }) => [status, body.data?.jobs[0]?.id]);
    expect(ids).toEqual(answers.map(() => [202, ids[0]![1]]));
    expect(await jobs()).toHaveLength(before + 1);
    await untilBody<Job>(stack.socket(), `/api/v1/jobs/${ids[0]![1]}`, final);
  });

  test('revoking a token, cancelling what is done, dismissing what is not there: one effect, then a clear answer', async () => {
    const made = await stack.api<{ id: string }>('POST', '/api/v1/tokens', { name: 'replay' });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const tokenId = made.body.data!.id;
    const wider = await stack.api('POST', '/api/v1/tokens', { name: 'wider', role: 'service' });
    expect([wider.status, wider.body.err]).toEqual([400, 'bad-request']);
    const revoked = await many(10, () => stack.api('DELETE', `/api/v1/tokens/${tokenId}`));
    expect(revoked.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(revoked.every(({ status }) => status === 200 || status === 404)).toBe(true);
    const cancelled = await many(10, () => stack.api('DELETE', '/api/v1/jobs/replay-action-2'));
    expect(new Set(cancelled.map(({ status, body }) => `${status} ${body.err}`)).size).toBe(1);
    expect(cancelled[0]!.status).toBeLessThan(500);
    const gone = await many(10, () => stack.api('DELETE', `/api/v1/candidates/${'c'.repeat(32)}`));
    expect(new Set(gone.map(({ status, body }) => `${status} ${body.err}`))).toEqual(new Set(['404 not-found']));
    const scans = await many(10, () => stack.api('POST', '/api/v1/scans', { range: '127.0.0.1/32' }));
    expect(new Set(scans.map(({ status, body }) => `${status} ${body.err}`))).toEqual(new Set(['503 not-ready']));
  });

  test('signing out, ten times at once, ends the session once', async () => {
    const { cookie, csrf } = await signIn();
    const headers = { cookie, 'x-csrf-token': csrf, origin: stack.url };
    const answers = await many(10, () => raw('POST', '/api/v1/sign-out', headers));
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    expect((await raw('GET', '/api/v1/hosts', { cookie })).status).toBe(401);
  });
});

describe('a page of another site', () => {
  test('no shape of its request acts', async () => {
    const { cookie, csrf } = await signIn();
    const path = `/api/v1/instances/${id}/actions`;
    const body = JSON.stringify({ action: 'force-off', opId: 'csrf-action-1' });
    const good = { ...json, cookie, origin: stack.url, 'x-csrf-token': csrf };
    const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
    const before = await jobs();
    const shapes: [string, Record<string, string>, number[]][] = [
      ['no token', without('x-csrf-token'), [403]],
      ['a wrong token', { ...good, 'x-csrf-token': csrf.replace(/./, (c) => (c === 'a' ? 'b' : 'a')) }, [403]],
      ['an empty token', { ...good, 'x-csrf-token': '' }, [403]],
      ['a foreign origin', { ...good, origin: 'https://evil.example' }, [403]],
      ['origin null', { ...good, origin: 'null' }, [403]],
      ['a cross-site fetch', { ...good, 'sec-fetch-site': 'cross-site' }, [403]],
      ['text/plain', { ...good, 'content-type': 'text/plain' }, [415]],
      ['a form', { ...good, 'content-type': 'application/x-www-form-urlencoded' }, [415]],
      ['another host', { ...good, host: 'evil.example' }, [421]],
    ];
    for (const [name, headers, statuses] of shapes) {
      const answer = await raw('POST', path, headers, body);
      expect(statuses, `${name}: ${answer.text}`).toContain(answer.status);
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'OPTIONS', 'TRACE'])
      expect((await raw(method, path, { ...good, 'content-length': '0' })).status, method).toBeGreaterThanOrEqual(400);
    const override = await raw('GET', `${path}?_method=POST`, { ...good, 'x-http-method-override': 'POST' });
    expect(override.status).toBeGreaterThanOrEqual(400);
    expect((await jobs()).map((job) => job.id)).toEqual(before.map((job) => job.id));
  });
});

describe('bodies and addresses that were made to break something', () => {
  test('bodies are refused before anything is done', async () => {
    const path = `/api/v1/instances/${id}/actions`;
    const head = { ...bearer(), ...json };
    const before = (await jobs()).length;
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
    const shapes: [string, string | Buffer, number[]][] = [
      ['__proto__', '{"action":"pause","__proto__":{"role":"admin"}}', [400]],
      ['constructor.prototype', '{"action":"pause","constructor":{"prototype":{"x":1}}}', [400]],
      ['an unknown key', '{"action":"pause","force":true}', [400]],
      ['an array', '[]', [400]],
      ['null', 'null', [400]],
      ['a text', '"pause"', [400]],
      ['a list of actions', '{"action":["pause"]}', [400]],
      ['an object as action', '{"action":{"$ne":1}}', [400]],
      ['an inherited name as action', '{"action":"toString"}', [400]],
      ['a flag as action', '{"action":"--help"}', [400]],
      ['a number as opId', '{"action":"pause","opId":12345678}', [400]],
      ['an opId with a path', '{"action":"pause","opId":"../../../../etc"}', [400]],
      ['nested deep', deep, [400]],
      ['not JSON', '{"action":', [400]],
      ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), [400]],
      ['huge', JSON.stringify({ action: 'pause', opId: 'x'.repeat(3 * 1024 ** 2) }), [413]],
      ['nothing', '', [400, 415]],
    ];
    for (const [name, body, statuses] of shapes) {
      const answer = await raw('POST', path, { ...head, 'content-length': String(Buffer.byteLength(body)) }, body);
      expect(statuses, `${name}: ${answer.status} ${answer.text.slice(0, 200)}`).toContain(answer.status);
      expect(errOf(answer), name).not.toBe('internal');
    }
    expect(await jobs()).toHaveLength(before);
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  test('an instance is addressed by its UUID and by nothing that looks like a flag, a number, a path or a name', async () => {
    const before = (await jobs()).length;
    const ids = ['--all', '1', 'test', '%2e%2e', '..', '%00', `${id}%00`, `${id}%0a`, `${id}%20--all`, '%2fetc', '*'];
    ids.push('-c', 'toString', '__proto__', "'%20OR%20'1'='1", id.replaceAll('-', ''), `${id}/..`, `{${id}}`);
    const body = JSON.stringify({ action: 'force-off' });
    for (const bad of ids) {
      const answer = await raw('POST', `/api/v1/instances/${bad}/actions`, { ...bearer(), ...json }, body);
      expect([400, 404], `${bad}: ${answer.status} ${answer.text}`).toContain(answer.status);
      const read = await raw('GET', `/api/v1/instances/${bad}`, bearer());
      expect([400, 404], `${bad}: ${read.status} ${read.text}`).toContain(read.status);
    }
    for (const path of [
      '/api/v1/jobs/--all',
      '/api/v1/logs/%2e%2e',
      '/api/v1/logs/a.b.c',
      '/api/v1/hosts/1',
      '/list/vms/--all',
    ])
      expect((await raw('GET', path, bearer())).status, path).toBeLessThan(500);
    expect(await jobs()).toHaveLength(before);
  });

  test('evil patterns of a filter hold nobody up', async () => {
    const patterns =
      String.raw`/(a+)+$/ /(a|aa)+$/ /(.*)*x/ /([a-z]+)*\d/ /a{1000}{1000}/ /((a{1,50}){1,50}){1,50}/`.split(' ');
    const calls = patterns.map(async (pattern) => {
      const q = encodeURIComponent(`message~${pattern}`);
      const plain = encodeURIComponent(pattern);
      for (const text of [q, plain, `NOT%20${plain}`]) {
        const answer = await raw('GET', `/api/v1/logs?limit=100&q=${text}`, bearer());
        expect([200, 400], `${pattern}: ${answer.status} ${answer.text.slice(0, 200)}`).toContain(answer.status);
      }
    });
    let healthy = 0;
    const all = Promise.all(calls).then(() => true);
    // Each look at the health is answered while the searches run, not after them.
    for (;;) {
      const first = await Promise.race([all, raw('GET', '/healthz', {})]);
      if (typeof first === 'boolean') break;
      expect(first.status).toBe(200);
      healthy += 1;
    }
    expect(healthy).toBeGreaterThan(0);
    const brackets = encodeURIComponent('('.repeat(5000));
    expect((await raw('GET', `/api/v1/logs?q=${brackets}`, bearer())).status).toBe(400);
  });
});

describe('guessing passwords', () => {
  test('is limited, and an unknown account answers like a known one', async () => {
    const guess = (email: string, password: string) =>
      raw('POST', '/api/v1/sign-in', { ...json, origin: stack.url }, JSON.stringify({ email, password }));
    const known = await guess('admin@localhost', 'wrong password 1');
    const unknown = await guess('nobody@localhost', 'wrong password 1');
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    expect([known.status, errOf(known)]).toEqual([401, 'bad-credentials']);
    const answers = await many(30, () => guess('admin@localhost', 'wrong password 2'));
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
    const limited = answers.find(({ status }) => status === 429)!;
    expect([errOf(limited), Number(limited.headers['retry-after'])]).toEqual(['too-many-requests', expect.any(Number)]);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    // Who is signed in already, and the rest of the API, goes on.
    expect((await stack.api('GET', '/api/v1/hosts')).status).toBe(200);
  });
});
