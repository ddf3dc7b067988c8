import type { SavedSearch } from '../../../common/model/search.ts';
import type { SearchCalls } from '../models/saved-searches.ts';
import type { Api } from './api.ts';

/** The calls behind saved searches; the list itself is pushed. */
export function createSearchCalls({ api, me }: { api: Api; me: string }): SearchCalls {
  const at = (id: string) => `/api/v1/searches/${encodeURIComponent(id)}`;
  return {
    me,
    save: (draft) => api.post<SavedSearch>('/api/v1/searches', draft),
    change: (id, draft) => api.put<SavedSearch>(at(id), draft),
    remove: async (id) => {
      await api.remove(at(id));
    },
  };
}
