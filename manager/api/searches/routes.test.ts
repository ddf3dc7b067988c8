import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KeepMark, SavedSearch } from '../../../common/model/search.ts';
import { type Edge, startEdge } from '../../../test/support/edge.ts';
import { keepRoutes } from '../keeps/routes.ts';
import { searchRoutes } from './routes.ts';

let edge: Edge;
let clockMs = 1_000;
const told: string[] = [];
const who: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  edge = await startEdge();
  for (const name of ['ann', 'bob']) {
    const { text } = edge.auth.tokens.create({ owner: `${name}@test`, role: 'admin', name, expiresMs: null });
    who[name] = { Authorization: `Bearer ${text}`, 'Content-Type': 'application/json' };
  }
  edge.bus.on('search', () => void told.push('search'));
  edge.bus.on('keep', () => void told.push('keep'));
  const shared = { bus: edge.bus, now: () => clockMs };
  const audit = (_level: string, message: string) => void told.push(message);
  await edge.swapRoutes([
    ...searchRoutes({ searches: edge.state.searches, ...shared }),
    ...keepRoutes({ keeps: edge.state.keeps, audit, ...shared }),
  ]);
});
afterAll(async () => {
  expect(edge.faults).toEqual([]);
  await edge.stop();
});

async function call<T>(name: string, method: string, path: string, body?: unknown): Promise<T> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await edge.ask(`/api/v1/${path}`, { method, headers: who[name], ...text });
  return (answer.json.err ?? answer.json.data) as T;
}
const names = async (name: string) => (await call<SavedSearch[]>(name, 'GET', 'searches')).map((one) => one.name);

it('keeps searches of one person, shows what is shared, and lets the owner alone change them', async () => {
  const query = { q: 'disk -level:debug /fu+ll/', level: 'warn' };
  const made = await call<SavedSearch>('ann', 'POST', 'searches', { name: ' Full disks ', query, columns: ['unit'] });
  expect(made).toMatchObject({ name: 'Full disks', owner: 'ann@test', shared: false, query, columns: ['unit'] });
  expect([await names('ann'), await names('bob')]).toEqual([['Full disks'], []]);
  expect(await call('bob', 'PUT', `searches/${made.id}`, { name: 'x', query })).toBe('not-found');

  clockMs = 2_000;
  const changed = await call('ann', 'PUT', `searches/${made.id}`, { name: 'Full', shared: true, query: { q: '' } });
  expect(changed).toMatchObject({ id: made.id, name: 'Full', createdMs: 1_000, changedMs: 2_000, columns: [] });
  expect(await names('bob')).toEqual(['Full']);
  expect(await call('bob', 'PUT', `searches/${made.id}`, { name: 'x', query })).toBe('forbidden');
  expect(await call('bob', 'DELETE', `searches/${made.id}`)).toBe('forbidden');

  // The same name in whatever case: mine once, and yours beside it.
  expect(await call('ann', 'POST', 'searches', { name: 'FULL', query })).toBe('name-taken');
  expect(await call('bob', 'POST', 'searches', { name: 'full', query })).toMatchObject({ owner: 'bob@test' });
  expect(await call('ann', 'DELETE', `searches/${made.id}`)).toBeNull();
  expect(await call('ann', 'DELETE', `searches/${made.id}`)).toBe('not-found');
  expect(told).toEqual(['search', 'search', 'search', 'search']);
});

it('refuses a filter that no search would take', async () => {
  for (const q of ['"open', '/(?=x)/', 'level:loud'])
    expect(await call('ann', 'POST', 'searches', { name: 'bad', query: { q } }), q).toBe('bad-query');
  const wrong = [{ name: '', query: {} }, { name: 'x' }, { name: 'x', query: {}, owner: 'bob@test' }];
  for (const body of wrong) expect(await call('ann', 'POST', 'searches', body)).toBe('bad-request');
  expect(await names('ann')).toEqual([]);
});

it('marks times whose lines are kept, and hands them to retention put together', async () => {
  told.length = 0;
  const made: KeepMark[] = [];
  for (const [fromMs, toMs] of [
    [500, 900],
    [100, 200],
    [200, 300],
    [850, 1_000],
  ])
    made.push(await call<KeepMark>('ann', 'POST', 'logs/keeps', { fromMs, toMs, note: 'why' }));
  expect(made[0]).toMatchObject({ fromMs: 500, toMs: 900, note: 'why', owner: 'ann@test', createdMs: 2_000 });
  expect(edge.state.keeps.ranges()).toEqual([
    { fromMs: 100, toMs: 300 },
    { fromMs: 500, toMs: 1_000 },
  ]);
  expect(await call('bob', 'DELETE', `logs/keeps/${made[0]!.id}`)).toBeNull();
  expect(await call('bob', 'DELETE', `logs/keeps/${made[0]!.id}`)).toBe('not-found');
  expect(edge.state.keeps.ranges()).toEqual([
    { fromMs: 100, toMs: 300 },
    { fromMs: 850, toMs: 1_000 },
  ]);
  expect((await call<KeepMark[]>('bob', 'GET', 'logs/keeps')).map(({ fromMs }) => fromMs).sort()).toEqual([
    100, 200, 850,
  ]);
  for (const body of [{ fromMs: 5, toMs: 5 }, { fromMs: -1, toMs: 5 }, { fromMs: 1, toMs: 9e15 }, { fromMs: 'x' }])
    expect(await call('ann', 'POST', 'logs/keeps', body)).toBe('bad-request');
  expect(told.filter((one) => one === 'keep')).toHaveLength(5);
  expect(told.filter((one) => one.startsWith('keep mark'))).toHaveLength(5);
});
