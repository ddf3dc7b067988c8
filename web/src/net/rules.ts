import type { Line } from '../../../common/model/line.ts';
import type { RuleCalls } from '../models/rules.ts';
import type { Api } from './api.ts';
import type { Feed } from './feed.ts';
import { rowsOf } from './list-sync.ts';

/** Rules, destinations and deliveries, as the pages of rules ask for them. */
export function createRuleCalls({ api, feed }: { api: Api; feed: Pick<Feed, 'follow'> }): RuleCalls {
  const watch =
    <T>(uri: string) =>
    (take: (rows: T[]) => void) =>
      feed.follow(uri, { take: (body) => take(rowsOf(body) as unknown as T[]), fail: () => take([]) });
  const at = (noun: string, id: string) => `/api/v1/${noun}/${encodeURIComponent(id)}`;
  return {
    save: (id, draft) => (id === null ? api.post('/api/v1/rules', draft) : api.put(at('rules', id), draft)),
    remove: (id) => api.remove(at('rules', id)),
    mute: (id, forMs) => api.post(`${at('rules', id)}/mute`, { forMs }),
    preview: (draft) => api.post('/api/v1/rules/preview', { draft }),
    line: (id) => api.get<Line>(at('logs', id)),
    saveDestination: (id, draft) =>
      id === null ? api.post('/api/v1/destinations', draft) : api.put(at('destinations', id), draft),
    removeDestination: (id) => api.remove(at('destinations', id)),
    test: (id) => api.post(`${at('destinations', id)}/test`, undefined),
    watchEvents: (rule, limit, take) =>
      watch<Parameters<typeof take>[0][number]>(
        rule === null ? `/api/v1/rules/events?limit=${limit}` : `/api/v1/rules/events?rule=${rule}&limit=${limit}`,
      )(take),
    watchDestinations: watch('/api/v1/destinations'),
    watchDeliveries: watch('/api/v1/deliveries?limit=100'),
  };
}
