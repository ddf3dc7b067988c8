import Backbone from 'backbone';
import type { LineQuery, SavedSearch } from '../../../common/model/search.ts';
import { byName } from './by-name.ts';
import { formatLogParams, type LogFilter, type LogParams } from './log-filter.ts';

export class SearchModel extends Backbone.Model<Partial<SavedSearch>> {}

/** Filters that somebody kept: one's own, and those that others share; by name. */
export class SavedSearches extends Backbone.Collection<SearchModel> {
  override preinitialize(): void {
    this.model = SearchModel;
    this.comparator = (a: SearchModel, b: SearchModel) => byName(a.get('name') ?? '', b.get('name') ?? '');
  }
}

export interface SearchDraft {
  name: string;
  shared: boolean;
  query: Partial<LineQuery>;
  columns: string[];
}

export interface SearchCalls {
  /** Name of who looks: what is theirs can be changed. */
  me: string;
  save(draft: SearchDraft): Promise<SavedSearch>;
  change(id: string, draft: SearchDraft): Promise<SavedSearch>;
  remove(id: string): Promise<void>;
}

/** Where a saved search leads: its filter in the address, its columns with it. */
export function placeOfSearch(search: Partial<SavedSearch>): string {
  const { query = {}, columns = [] } = search;
  const params: LogParams = { ...(query as LogFilter), ...(columns.length > 0 ? { cols: columns.join(',') } : {}) };
  const text = formatLogParams(params);
  return text === '' ? '/live' : `/live?${text}`;
}

/** The filter in words, for a list. */
export function searchNote(search: Partial<SavedSearch>): string {
  const { q = '', ...more } = (search.query ?? {}) as Record<string, string>;
  const parts = Object.entries(more)
    .filter(([, value]) => value)
    .map(([key, value]) => `${key} ${value.slice(0, 20)}`);
  return [q, ...parts].filter((part) => part !== '').join(' · ') || 'every line';
}
