import { expect, test } from 'vitest';
import type { HowAsked } from '../../migration/migration.ts';
import { migrationRoutes } from './routes.ts';

/** What the checks are asked for by a query. */
async function askedBy(end: 'checks' | 'targets', query: Record<string, string>): Promise<HowAsked | undefined> {
  let asked: HowAsked | undefined;
  const take = (how: HowAsked) => {
    asked = how;
    return Promise.resolve([] as never);
  };
  const routes = migrationRoutes({
    migration: {
      checks: (_id, _target, how) => take(how),
      targets: (_id, how) => take(how),
      move: () => Promise.reject(new Error('not asked')),
    },
  });
  const route = routes.find(({ path }) => path.endsWith(`/migrate/${end}`))!;
  await route.handle({ params: { id: 'u' }, query: route.query!.parse(query) } as never);
  return asked;
}

test.each(['checks', 'targets'] as const)('%s are made for the way in which it is to move', async (end) => {
  const target = { target: 'h2' };
  expect(await askedBy(end, target)).toEqual({ live: undefined, tunnelled: false, copyStorage: false });
  const query = { ...target, live: 'true', tunnelled: 'true', copyStorage: 'true' };
  expect(await askedBy(end, query)).toEqual({ live: true, tunnelled: true, copyStorage: true });
  await expect(askedBy(end, { ...target, copyStorage: 'yes' })).rejects.toThrow();
});
