import { OUTSIDE_AGENT, withPlaces } from '../models/facet-places.ts';
import { type FacetCalls, Facets, type FacetValue, USUAL_FACETS } from '../models/facets.ts';
import { apiQuery, type LogParams } from '../models/log-filter.ts';
import type { Api } from './api.ts';

const MOST_VALUES = 12;
/** A live view counts what its bars show. */
const LIVE_RANGE_MS = 15 * 60_000;

export interface FacetSourceDeps {
  api: Api;
  nowMs: () => number;
  /** Fields that this reader has open. */
  openFields: () => readonly string[];
}

/** Makes the facets of a stream. */
export function createFacetSources({ api, nowMs, openFields }: FacetSourceDeps): (params: LogParams) => Facets {
  async function ask(range: LogParams, fields: readonly string[]): ReturnType<FacetCalls['load']> {
    const names = fields.map((field) => `field=${encodeURIComponent(field)}`).join('&');
    const { data, unreadable } = await api.getCounts<FacetValue[] | Record<string, FacetValue[]>>(
      `/api/v1/logs/facets?${apiQuery(range, { limit: MOST_VALUES })}&${names}`,
    );
    return { values: readFacets(fields, data), unreadable };
  }

  return (params) => {
    const live = params.fromMs === undefined && params.toMs === undefined;
    const open = openFields();
    return new Facets(
      {
        async load(fields) {
          const range = live ? { ...params, fromMs: nowMs() - LIVE_RANGE_MS } : params;
          if (!fields.includes('host')) return ask(range, fields);
          // Not every line is of a host: its agent tells what it is of instead.
          const found = await ask(range, [...new Set([...fields, 'agent'])]);
          const agents = found.values.get('agent') ?? [];
          const isOutside = agents.some(({ value }) => value === OUTSIDE_AGENT);
          const ways = isOutside ? await ask({ ...range, source: 'external' }, ['via']) : null;
          found.values.set('host', withPlaces(found.values.get('host') ?? [], agents, ways?.values.get('via') ?? []));
          return found;
        },
      },
      open.length > 0 ? open : USUAL_FACETS,
    );
  };
}

/** One field is answered by its values alone, several by an object of them. */
function readFacets(
  fields: readonly string[],
  answer: FacetValue[] | Record<string, FacetValue[]>,
): Map<string, FacetValue[]> {
  return Array.isArray(answer) ? new Map([[fields[0]!, answer]]) : new Map(Object.entries(answer));
}
