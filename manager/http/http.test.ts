import { connect as tcpConnect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edge, startEdge } from '../../test/support/edge.ts';
import { rawRoute, rawTalk, routes } from '../../test/support/edge-routes.ts';

const json = { 'Content-Type': 'application/json' };
let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({ routes, http: { headerTimeoutMs: 60_000, requestTimeoutMs: 60_000 } });
});
afterAll(() => edge.stop());

describe('envelope', () => {
  it('answers with named fields only', async () => {
    const answer = await edge.ask('/api/v1/things/a?limit=7&other=1');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"err":null,"data":{"id":"a","limit":7}}');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await edge.ask('/api/v1/things/special')).json.data).toBe('literal');
    expect((await edge.ask('/api/v1/things/caf%C3%A9%20x')).json.data).toEqual({ id: 'café x', limit: 5 });
  });

  it('answers HEAD without a body, 405 with the methods and 404, all in the envelope', async () => {
    const head = await edge.ask('/api/v1/things/a', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(10);
    const wrong = await edge.ask('/api/v1/things/a', { method: 'DELETE' });
    expect([wrong.status, wrong.json.err, wrong.headers.allow]).toEqual([405, 'method-not-allowed', 'HEAD, GET']);
    for (const method of ['OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']) {
      const other = await edge.ask('/api/v1/things', { method });
      expect([other.status, other.json.err], method).toEqual([405, 'method-not-allowed']);
    }
    const nothing = await edge.ask('/api/v1/nothing');
    expect([nothing.status, nothing.json]).toEqual([
      404,
      { err: 'not-found', message: 'There is nothing at this address.', data: null },
    ]);
  });

  it('logs a fault whole under an id and answers it blandly', async () => {
    const answer = await edge.ask('/api/v1/broken');
    expect([answer.status, answer.json.err]).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('hunter2');
    const logged = edge.faults.at(-1)!;
    expect(JSON.stringify(logged.fields)).toContain('hunter2');
    expect(answer.json.message).toContain(String(logged.fields!['id']));
  });

  it('names the path of what is wrong', async () => {
    const cases: [string, string, string][] = [
      ['GET', '/api/v1/things/a?limit=99', 'query.limit: '],
      ['GET', '/api/v1/things/a?limit=1&limit=2', 'query.limit: '],
      ['GET', '/api/v1/things/aaaaaaaaaaaaaaaaaaaaaaaaaaa', 'params.id: '],
    ];
    for (const [method, path, start] of cases) {
      const { status, json: body } = await edge.ask(path, { method });
      expect([status, body.err, body.message?.startsWith(start)], path).toEqual([400, 'bad-request', true]);
    }
    const deep = await edge.ask('/api/v1/things', {
      method: 'POST',
      headers: json,
      body: '{"name":"a","deep":{"n":"x"}}',
    });
    expect(deep.json.message).toMatch(/^body\.deep\.n: /);
  });
});

describe('bodies', () => {
  const post = (body: string | Buffer, headers: Record<string, string> = json) =>
    edge.ask('/api/v1/things', { method: 'POST', headers, body });

  it('takes JSON and nothing else', async () => {
    expect((await post('{"name":"é"}')).json.data).toEqual({ name: 'é' });
    expect((await post('{"name":"a"}', { 'Content-Type': 'application/json; charset=UTF-8' })).status).toBe(201);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonx',
      'application/json; charset=utf-16',
      'text/plain; application/json',
    ]) {
      const answer = await post('{"name":"a"}', { 'Content-Type': type });
      expect([answer.status, answer.json.err], type).toEqual([415, 'unsupported-media-type']);
    }
    expect((await post('{"name":"a"}', {})).status).toBe(415);
    expect((await post('{"name":"a"}', { ...json, 'Content-Encoding': 'gzip' })).status).toBe(415);
    expect((await post('')).json.err).toBe('bad-request');
    expect((await post('{"name":')).json.message).toContain('not valid JSON');
    expect((await post(Buffer.from([0x22, 0xff, 0x22]))).json.message).toContain('UTF-8');
  });

  it('refuses a large body by its declared length and by what arrives', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(5_000_000) });
    for (const headers of [json, { ...json, 'Transfer-Encoding': 'chunked' }]) {
      const answer = await post(large, headers);
      expect([answer.status, answer.json.err]).toEqual([413, 'too-large']);
    }
  });

  it('refuses keys that reach a prototype, and deep nesting', async () => {
    for (const body of [
      '{"name":"a","__proto__":{"x":1}}',
      '{"name":"a","deep":{"n":1,"\\u005f_proto__":{"x":1}}}',
      '{"name":"a","constructor":{"prototype":{"x":1}}}',
      `${'['.repeat(400)}${']'.repeat(400)}`,
    ]) {
      expect((await post(body)).json.err, body).toBe('bad-request');
    }
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    const nested = (depth: number) => `{"name":"a","other":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect((await post(nested(30))).status).toBe(201);
    expect((await post(nested(32))).json.message).toContain('nested too deeply');
  });

  it('drops a peer that sends its headers or its body too slowly', async () => {
    const impatient = await startEdge({ routes, http: { headerTimeoutMs: 400, requestTimeoutMs: 700 } });
    const lateHeaders = await rawTalk(impatient.port, 'POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\n');
    expect(lateHeaders).toContain('408');
    const lateBody = await rawTalk(
      impatient.port,
      'POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"na',
    );
    expect(lateBody).toContain('408');
    expect(await rawTalk(impatient.port, '')).toBe('');
    await impatient.stop();
    expect(await rawTalk(edge.port, '\u0001\u0002 nonsense\r\n\r\n')).toContain('400');
  });
});

describe('raw answers', () => {
  it('write no faster than the peer reads', async () => {
    const done = new Promise<void>((resolve) => {
      rawRoute.done = resolve;
    });
    const socket = tcpConnect({ port: edge.port, host: '127.0.0.1' });
    socket.write('GET /api/v1/raw HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    // The kernel's buffers take some megabytes of the 100; then the route must stand still until somebody reads.
    let before = -1;
    while (before !== rawRoute.writes) {
      before = rawRoute.writes;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(rawRoute.writes).toBeLessThan(200);
    socket.resume();
    await done;
    expect(rawRoute.writes).toBe(400);
  });
});
