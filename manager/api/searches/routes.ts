import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { WebvirtError } from '../../../common/errors.ts';
import type { LineQuery, SavedSearch } from '../../../common/model/search.ts';
import { queryOf } from '../../../common/pure/query/filter.ts';
import { compileMatcher } from '../../../common/pure/query/match.ts';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import type { Bus } from '../../bus/bus.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import type { SearchStore } from '../../store/ports.ts';
import { searchAnswer, searchBody, searchListAnswer, searchParams } from './schema.ts';

export interface SearchDeps {
  searches: SearchStore;
  bus: Pick<Bus, 'emit'>;
  now: () => number;
}

/** For each owner; more than anybody reads, and no way to fill the disk. */
const LIMIT_SEARCHES = 500;

/** Filters kept under a name: of one's own, and those that others share. */
export function searchRoutes({ searches, bus, now }: SearchDeps): Route[] {
  /** One's own. What others share is seen and not changed; what is hidden is not there. */
  function own(id: string, owner: string): SavedSearch {
    const search = searches.get(id);
    if (search === null || (search.owner !== owner && !search.shared))
      throw new WebvirtError('not-found', 'There is no such search.');
    if (search.owner !== owner)
      throw new WebvirtError('forbidden', `This search belongs to ${search.owner}: save one of your own.`);
    return search;
  }

  function put(search: SavedSearch): SavedSearch {
    mustBeReadable(search.query);
    if (!searches.put(search))
      throw new WebvirtError('name-taken', `You have a search named ${JSON.stringify(search.name)} already.`);
    bus.emit('search', { id: search.id });
    return search;
  }

  const errors = ['bad-query', 'name-taken'] as const;
  const example = { name: 'full disks', shared: true, query: { q: '"no space" -unit:backup', level: 'warn' } };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/searches',
      summary: 'List saved searches',
      purpose: 'Lists your saved searches and those that others share, by name.',
      access: 'member',
      answer: searchListAnswer,
      live: { on: ['search'], perPerson: true },
      handle: ({ principal }) => searches.visible(principal!.name),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/searches',
      summary: 'Save a search',
      purpose: 'Keeps a filter under a name. A filter that cannot be read is refused, as in a search.',
      access: 'member',
      body: searchBody,
      answer: searchAnswer,
      status: 201,
      example,
      errors: [...errors, 'too-many-requests'],
      handle({ body, principal }) {
        const owner = principal!.name;
        if (searches.visible(owner).filter((search) => search.owner === owner).length >= LIMIT_SEARCHES)
          throw new WebvirtError('too-many-requests', `One person may keep ${LIMIT_SEARCHES} searches.`);
        const ms = now();
        return put({ id: randomBytes(8).toString('hex'), owner, ...body, createdMs: ms, changedMs: ms });
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/searches/:id',
      summary: 'Change a saved search',
      purpose: 'Replaces a saved search of yours: its name, its filter, its columns and whether it is shared.',
      access: 'member',
      params: searchParams,
      body: searchBody,
      answer: searchAnswer,
      example,
      errors,
      handle: ({ params, body, principal }) => put({ ...own(params.id, principal!.name), ...body, changedMs: now() }),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/searches/:id',
      summary: 'Remove a saved search',
      purpose: 'Removes a saved search of yours, for everybody.',
      access: 'member',
      params: searchParams,
      answer: z.null(),
      handle({ params, principal }) {
        searches.remove(own(params.id, principal!.name).id);
        bus.emit('search', { id: params.id });
        return null;
      },
    }),
  ];
}

/** Throws `bad-query` for what a search would refuse. */
function mustBeReadable(query: LineQuery): void {
  compileMatcher(queryOf(query), re2Engine);
}
