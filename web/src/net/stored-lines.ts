import type { KeepMark } from '../../../common/model/search.ts';
import { apiQuery } from '../models/log-filter.ts';
import type { Counted, StoredLines, StoreState } from '../models/stored-lines.ts';
import type { Api } from './api.ts';

const KEEPS = '/api/v1/logs/keeps';

export function createStoredLines(api: Api): StoredLines {
  return {
    count: (params) => api.get<Counted>(`/api/v1/logs/count?${apiQuery(params)}`),
    state: () => api.get<StoreState>('/api/v1/logs/store'),
    keeps: () => api.get<KeepMark[]>(KEEPS),
    keep: (draft) => api.post<KeepMark>(KEEPS, draft),
    async removeKeep(id) {
      await api.remove(`${KEEPS}/${encodeURIComponent(id)}`);
    },
  };
}
