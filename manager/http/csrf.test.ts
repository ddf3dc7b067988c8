import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Ask, type Edge, startEdge } from '../../test/support/edge.ts';
import { describedRoutes } from '../manager/routes.ts';
import type { Route } from './route.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const calls: string[] = [];
const table: Route[] = describedRoutes('0.0.0').map(({ method, path, summary, purpose, access }) => ({
  ...{ method, path, summary, purpose, access },
  body: method === 'GET' ? undefined : z.unknown(),
  handle: () => void calls.push(`${method} ${path}`),
}));
const mutating = table.filter(({ method }) => method !== 'GET');

let edge: Edge;
let session: Awaited<ReturnType<Edge['signIn']>>;

beforeAll(async () => {
  edge = await startEdge();
  session = await edge.signIn();
  await edge.swapRoutes(table);
});
afterAll(() => edge.stop());

/** What a page of another site, or a form of one, can make a signed-in browser send. */
const SHAPES: { name: string; ask: () => Ask; openMay?: true }[] = [
  {
    name: 'a form',
    ask: () => ({ headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'null' }, body: 'a=1' }),
  },
  {
    name: 'a multipart form without Origin',
    ask: () => ({ headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: '--x--\r\n' }),
  },
  { name: 'JSON as text/plain', ask: () => ({ headers: { 'Content-Type': 'text/plain' }, body: '{"a":1}' }) },
  { name: 'JSON without the token', ask: () => ({ headers: JSON_TYPE, body: '{}' }), openMay: true },
  {
    name: 'JSON with a token of another session',
    ask: () => ({ headers: { ...JSON_TYPE, 'X-CSRF-Token': 'x'.repeat(43) }, body: '{}' }),
    openMay: true,
  },
  {
    name: 'the token in the query and the body',
    ask: () => ({ headers: JSON_TYPE, body: JSON.stringify({ csrfToken: session.csrfToken }) }),
    openMay: true,
  },
  {
    name: 'everything right but from another site',
    ask: () => ({ headers: { ...JSON_TYPE, ...session.headers, Origin: 'http://localhost.evil.example' }, body: '{}' }),
  },
  {
    name: 'a no-cors fetch',
    ask: () => ({ headers: { ...JSON_TYPE, ...session.headers, 'Sec-Fetch-Site': 'same-site' }, body: '{}' }),
  },
];

describe.each(mutating)('$method $path', (route) => {
  const path = route.path.replaceAll(/:[A-Za-z]+/g, 'x');

  it.each(SHAPES)('refuses $name', async ({ ask, openMay }) => {
    if (openMay && route.access === 'open') return;
    calls.length = 0;
    const { headers, body } = ask();
    const answer = await edge.ask(`${path}?csrfToken=${session.csrfToken}`, {
      method: route.method,
      body,
      headers: { Cookie: session.cookie, ...headers },
    });
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.json.err).not.toBeNull();
    expect(calls).toEqual([]);
  });

  it('is not reached by a GET that asks for another method', async () => {
    calls.length = 0;
    const headers = { ...session.headers, 'X-HTTP-Method-Override': route.method, 'X-Method-Override': route.method };
    await edge.ask(`${path}?_method=${route.method}`, { headers });
    expect(calls.filter((call) => !call.startsWith('GET '))).toEqual([]);
  });

  it('takes the console itself', async () => {
    calls.length = 0;
    if (route.access === 'service') return;
    const headers = {
      ...JSON_TYPE,
      ...session.headers,
      Origin: `http://localhost:${edge.port}`,
      'Sec-Fetch-Site': 'same-origin',
      Host: `localhost:${edge.port}`,
    };
    const answer = await edge.ask(path, { method: route.method, headers, body: '{}' });
    expect(answer.json.err).toBeNull();
    expect(calls).toEqual([`${route.method} ${route.path}`]);
  });
});
