import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Ask, type Edge, startEdge } from '../../test/support/edge.ts';
import { describedRoutes } from '../manager/routes.ts';
import type { Route } from './route.ts';

/**
 * Who may call what, written down a second time on purpose: a route whose `access` is changed by mistake fails here, and
 * so does a route without a row. To add one: its method and address, and who may.
 */
const MATRIX: Record<string, 'anybody' | 'people' | 'own parts'> = {
  'GET /healthz': 'anybody',
  'GET /readyz': 'anybody',
  'GET /metrics': 'people',
  'GET /api/v1/openapi.json': 'people',
  'POST /api/v1/sign-in': 'anybody',
  'POST /api/v1/sign-out': 'people',
  'GET /api/v1/me': 'people',
  'GET /api/v1/tokens': 'people',
  'POST /api/v1/tokens': 'people',
  'DELETE /api/v1/tokens/:id': 'people',
  'GET /api/v1/hosts': 'people',
  'GET /api/v1/hosts/:id': 'people',
  'GET /api/v1/hosts/:id/resources': 'people',
  'GET /api/v1/images': 'people',
  'POST /api/v1/images': 'people',
  'DELETE /api/v1/images/:host/:name': 'people',
  'GET /api/v1/instances': 'people',
  'POST /api/v1/instances': 'people',
  'DELETE /api/v1/instances/:id': 'people',
  'GET /api/v1/instances/:id': 'people',
  'POST /api/v1/instances/:id/actions': 'people',
  'POST /api/v1/instances/actions': 'people',
  'GET /api/v1/instances/:id/migrate/checks': 'people',
  'GET /api/v1/instances/:id/migrate/targets': 'people',
  'POST /api/v1/instances/:id/migrate': 'people',
  'GET /api/v1/jobs': 'people',
  'GET /api/v1/jobs/:id': 'people',
  'DELETE /api/v1/jobs/:id': 'people',
  'GET /api/v1/compute/servers': 'people',
  'GET /api/v1/compute/sessions': 'people',
  'POST /api/v1/compute/sessions': 'people',
  'GET /api/v1/compute/sessions/:id': 'people',
  'DELETE /api/v1/compute/sessions/:id': 'people',
  'POST /api/v1/compute/sessions/:id/cells': 'people',
  'POST /api/v1/compute/sessions/:id/interrupt': 'people',
  'GET /api/v1/compute/sessions/:id/output': 'people',
  'POST /api/v1/compute/run': 'people',
  'GET /api/v1/logs': 'people',
  'GET /api/v1/logs/count': 'people',
  'GET /api/v1/logs/histogram': 'people',
  'GET /api/v1/logs/facets': 'people',
  'GET /api/v1/logs/export': 'people',
  'GET /api/v1/logs/store': 'people',
  'GET /api/v1/logs/:id': 'people',
  'GET /api/v1/logs/:id/context': 'people',
  'POST /api/v1/logs': 'people',
  'GET /api/v1/logs/keeps': 'people',
  'POST /api/v1/logs/keeps': 'people',
  'DELETE /api/v1/logs/keeps/:id': 'people',
  'POST /v1/logs': 'people',
  'POST /loki/api/v1/push': 'people',
  'GET /api/v1/intake': 'people',
  'GET /api/v1/searches': 'people',
  'POST /api/v1/searches': 'people',
  'PUT /api/v1/searches/:id': 'people',
  'DELETE /api/v1/searches/:id': 'people',
  'GET /api/v1/rules': 'people',
  'POST /api/v1/rules': 'people',
  'GET /api/v1/rules/events': 'people',
  'POST /api/v1/rules/preview': 'people',
  'GET /api/v1/rules/:id': 'people',
  'PUT /api/v1/rules/:id': 'people',
  'DELETE /api/v1/rules/:id': 'people',
  'POST /api/v1/rules/:id/mute': 'people',
  'GET /api/v1/destinations': 'people',
  'POST /api/v1/destinations': 'people',
  'PUT /api/v1/destinations/:id': 'people',
  'DELETE /api/v1/destinations/:id': 'people',
  'POST /api/v1/destinations/:id/test': 'people',
  'GET /api/v1/deliveries': 'people',
  'GET /api/v1/ledger': 'people',
  'GET /api/v1/ledger/:agent/:epoch': 'people',
  'POST /api/v1/ledger/:agent/:epoch/fill': 'people',
  'GET /api/v1/samples': 'people',
  'GET /list/daemons': 'people',
  'GET /list/vms': 'people',
  'GET /list/vms/:ip': 'people',
  'GET /api/v1/candidates': 'people',
  'GET /api/v1/candidates/:id': 'people',
  'POST /api/v1/candidates/:id/enrol': 'people',
  'DELETE /api/v1/candidates/:id': 'people',
  'GET /api/v1/scans': 'people',
  'GET /api/v1/scans/:id': 'people',
  'POST /api/v1/scans': 'people',
  'POST /enrol': 'anybody',
};

type Verdict = 'in' | 'not-signed-in' | 'bad-token' | 'csrf-missing' | 'bad-origin' | 'forbidden';

const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`;
const isSafe = ({ method }: Route) => method === 'GET';
const table = describedRoutes('0.0.0');
/** The true table without its handlers and checks: only the guard stands between a caller and success. */
const guardOnly = table.map(({ method, path, summary, purpose, access }) => ({
  ...{ method, path, summary, purpose, access },
  answer: z.literal('in'),
  handle: () => 'in',
}));

let edge: Edge;
let session: Awaited<ReturnType<Edge['signIn']>>;
let admin: { Authorization: string };
let service: { Authorization: string };

beforeAll(async () => {
  edge = await startEdge();
  session = await edge.signIn();
  admin = edge.bearer('admin').headers;
  service = edge.bearer('service').headers;
  await edge.swapRoutes(guardOnly);
});
afterAll(() => edge.stop());

async function call(route: Route, headers: Ask['headers']): Promise<string> {
  const path = route.path.replaceAll(/:[A-Za-z]+/g, 'x');
  const answer = await edge.ask(path, { method: route.method, headers });
  return answer.json.err ?? (answer.status < 300 ? 'in' : String(answer.status));
}

it('has a row for each route and no other', () => {
  expect(table.map(nameOf).sort()).toEqual(Object.keys(MATRIX).sort());
});

describe.each(guardOnly)('$method $path', (route) => {
  const who = MATRIX[nameOf(route)];
  const among = (verdicts: Record<'anybody' | 'people' | 'own parts', Verdict>) => verdicts[who!];
  const foreign = { Origin: 'https://evil.example' };

  it('nobody', async () => {
    const expected = among({ anybody: 'in', people: 'not-signed-in', 'own parts': 'not-signed-in' });
    expect(await call(route, {})).toBe(expected);
    expect(await call(route, { Cookie: 'webvirt_session=x; other=1' })).toBe(expected);
    expect(await call(route, { Authorization: 'Basic YWRtaW46YWRtaW4=' })).toBe(expected);
  });

  it('a token that is no good', async () => {
    const expected = among({ anybody: 'in', people: 'bad-token', 'own parts': 'bad-token' });
    expect(await call(route, { Authorization: 'Bearer wv_x' })).toBe(expected);
    // The cookie beside it does not help.
    expect(await call(route, { ...session.headers, Authorization: `Bearer wv_${'x'.repeat(43)}` })).toBe(expected);
  });

  it('a session without the CSRF token', async () => {
    const unsafe = among({ anybody: 'in', people: 'csrf-missing', 'own parts': 'csrf-missing' });
    const safe = among({ anybody: 'in', people: 'in', 'own parts': 'forbidden' });
    const expected = isSafe(route) ? safe : unsafe;
    expect(await call(route, { Cookie: session.cookie })).toBe(expected);
    expect(await call(route, { Cookie: session.cookie, 'X-CSRF-Token': 'x' })).toBe(expected);
  });

  it('a session', async () => {
    const expected = among({ anybody: 'in', people: 'in', 'own parts': 'forbidden' });
    expect(await call(route, session.headers)).toBe(expected);
  });

  it('a page of another site with the session of a person', async () => {
    const safe = among({ anybody: 'in', people: 'in', 'own parts': 'forbidden' });
    expect(await call(route, { ...session.headers, ...foreign })).toBe(isSafe(route) ? safe : 'bad-origin');
  });

  it('a token of an admin', async () => {
    const expected = among({ anybody: 'in', people: 'in', 'own parts': 'forbidden' });
    expect(await call(route, admin)).toBe(expected);
  });

  it('a token of our own parts', async () => {
    const expected = among({ anybody: 'in', people: 'forbidden', 'own parts': 'in' });
    expect(await call(route, service)).toBe(expected);
  });
});
