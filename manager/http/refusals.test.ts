import { expect, it } from 'vitest';
import { startEdge } from '../../test/support/edge.ts';
import { createRefusals } from './refusals.ts';

it('writes one audit line for each refusal, with who and what but no secret', async () => {
  const edge = await startEdge();
  const { headers, cookie } = await edge.signIn();
  edge.audits.length = 0;
  await edge.ask('/api/v1/me', { headers: { Host: 'evil.example' } });
  await edge.ask('/api/v1/sign-out', { method: 'POST', headers: { Cookie: cookie } });
  await edge.ask('/api/v1/sign-out', { method: 'POST', headers: { ...headers, Origin: 'https://evil.example' } });
  await edge.ask('/api/v1/me?x=1', { headers: { Authorization: 'Bearer wv_guess' } });
  await edge.ask('/api/v1/me', { headers: edge.bearer('service').headers });
  // What happens all day is no refusal worth a line.
  await edge.ask('/api/v1/me');
  await edge.ask('/api/v1/nothing');
  expect(edge.audits.map(({ level, message, fields }) => [level, message, fields['code'], fields['path']])).toEqual([
    ['warn', 'request refused', 'bad-host', '/api/v1/me'],
    ['warn', 'request refused', 'csrf-missing', '/api/v1/sign-out'],
    ['warn', 'request refused', 'bad-origin', '/api/v1/sign-out'],
    ['warn', 'request refused', 'bad-token', '/api/v1/me'],
    ['warn', 'request refused', 'forbidden', '/api/v1/me'],
  ]);
  expect(edge.audits.every(({ fields }) => fields['address'] === '127.0.0.1' && fields['method'] !== '')).toBe(true);
  expect(JSON.stringify(edge.audits)).not.toMatch(new RegExp(`wv_guess|${cookie.split('=')[1]}`));
  await edge.stop();
});

it('is not flooded, and counts what it left out', () => {
  let nowMs = 0;
  const lines: [string, Record<string, unknown>][] = [];
  const refused = createRefusals(
    (_, message, fields) => lines.push([message, fields]),
    () => nowMs,
  );
  const about = { method: 'GET', path: '/', address: '10.0.0.1' };
  for (let i = 0; i < 500; i++) refused('forbidden', about);
  expect(lines).toHaveLength(10);
  refused('forbidden', { ...about, address: '10.0.0.2' });
  expect(lines).toHaveLength(11);
  nowMs = 60_000;
  refused('forbidden', about);
  expect(lines.slice(11).map(([message, fields]) => [message, fields['count']])).toEqual([
    ['more requests were refused', 490],
    ['request refused', undefined],
  ]);
});
