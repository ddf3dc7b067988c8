import { WebvirtError } from '../../common/errors.ts';
import { queryOf } from '../../common/pure/query/filter.ts';
import { compileMatcher } from '../../common/pure/query/match.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';
import type { LineFilter } from '../store/ports.ts';
import { cancelSchema, searchSchema } from './search-schema.ts';
import type { Searches } from './searches.ts';
import { type Client, defineEvent, type SocketEvent } from './socket-event.ts';

/**
 * `logs:search` and `logs:cancel`. A search that is asked for again under the same id replaces the one before; all of a
 * client end when it goes, and so when its credential ends.
 */
export function searchEvents({ searches, limit }: { searches: Searches; limit: number }): SocketEvent[] {
  const byClient = new WeakMap<Client, Map<string, () => void>>();

  function searchesOf(client: Client): Map<string, () => void> {
    const known = byClient.get(client);
    if (known !== undefined) return known;
    const made = new Map<string, () => void>();
    byClient.set(client, made);
    client.onGone(() => {
      for (const cancel of [...made.values()]) cancel();
      made.clear();
    });
    return made;
  }

  const search = defineEvent({
    name: 'logs:search',
    access: 'member',
    body: searchSchema,
    handle({ id, limit: lines, cursor, ...request }, client) {
      const filter = filterOf(request);
      // The answer says at once what is wrong with a filter; the store would only say it when it is its turn.
      compileMatcher(queryOf(filter), re2Engine);
      const mine = searchesOf(client);
      mine.get(id)?.();
      if (mine.size >= limit)
        throw new WebvirtError('too-many-requests', `One connection may have ${limit} searches at the same time.`);
      const cancel = searches.start(
        { id, filter, limit: lines, ...(cursor === undefined ? {} : { cursor }) },
        {
          outbox: client.outbox,
          send: (found) => client.emit('logs:found', found),
          onEnd: () => void (mine.get(id) === cancel && mine.delete(id)),
        },
      );
      mine.set(id, cancel);
      return { data: () => null };
    },
  });

  const cancel = defineEvent({
    name: 'logs:cancel',
    access: 'member',
    body: cancelSchema,
    handle({ id }, client) {
      searchesOf(client).get(id)?.();
      return { data: () => null };
    },
  });

  return [search, cancel];
}

type Request = Omit<LineFilter, 'fromMs' | 'toMs' | 'source'> & Record<'from' | 'to', number | undefined>;

function filterOf(
  request: { [K in keyof Request]?: Request[K] | undefined } & { source?: string | undefined },
): LineFilter {
  const { from, to, ...parts } = request;
  if (parts.q?.includes('\0')) throw new WebvirtError('bad-query', 'The filter holds a NUL character.');
  if (from !== undefined && to !== undefined && to < from)
    throw new WebvirtError('bad-request', 'logs:search.to: lies before logs:search.from');
  const all = { ...parts, fromMs: from, toMs: to };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as LineFilter;
}
