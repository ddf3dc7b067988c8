// Saved searches of the pretended manager.
import type { SavedSearch } from '../../common/model/search.ts';

export function inventedSearches(nowMs: number): SavedSearch[] {
  const of = (id: string, name: string, owner: string, q: string, level?: 'warn'): SavedSearch => ({
    ...{ id, name, owner, shared: owner !== 'admin@localhost', columns: [], createdMs: nowMs, changedMs: nowMs },
    query: { q, ...(level === undefined ? {} : { level }) },
  });
  return [
    of('q1', 'Full disks', 'admin@localhost', '"no space left"'),
    of('q2', 'Logins of deploy', 'ops@localhost', 'accepted deploy unit:ssh.service'),
    of('q3', 'Bridges that block', 'ops@localhost', 'blocking', 'warn'),
  ];
}
