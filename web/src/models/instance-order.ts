import { byName } from './by-name.ts';
import type { InstanceModel } from './nouns.ts';

export const SORT_KEYS = ['name', 'state', 'host', 'vcpus', 'cpu', 'memory'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface InstanceQuery {
  q: string;
  state: string;
  host: string;
  sort: SortKey;
  down: boolean;
}

/** Reads the query of the address of the instances page. */
export function parseInstanceQuery(query: string): InstanceQuery {
  const given = new URLSearchParams(query);
  const sort = given.get('sort') ?? 'name';
  const key = sort.replace(/^-/, '');
  return {
    q: given.get('q') ?? '',
    state: given.get('state') ?? '',
    host: given.get('host') ?? '',
    sort: SORT_KEYS.find((known) => known === key) ?? 'name',
    down: sort.startsWith('-'),
  };
}

/** The query of the address, without `?`; what is as usual is left out. */
export function formatInstanceQuery(query: InstanceQuery): string {
  const out = new URLSearchParams();
  if (query.q) out.set('q', query.q);
  if (query.state) out.set('state', query.state);
  if (query.host) out.set('host', query.host);
  if (query.sort !== 'name' || query.down) out.set('sort', `${query.down ? '-' : ''}${query.sort}`);
  return out.toString();
}

const STATE_RANK: Record<string, number> = {
  crashed: 0,
  unknown: 1,
  'shutting-down': 2,
  paused: 3,
  running: 4,
  saved: 5,
  shutoff: 6,
};

function compareBy(key: SortKey, a: InstanceModel, b: InstanceModel): number {
  switch (key) {
    case 'state':
      return STATE_RANK[a.get('state')!]! - STATE_RANK[b.get('state')!]!;
    case 'host':
      return byName(a.get('hostName')!, b.get('hostName')!);
    case 'vcpus':
      return a.get('vcpus')! - b.get('vcpus')!;
    case 'cpu':
      return (a.loadNow()?.cpuRatio ?? -1) - (b.loadNow()?.cpuRatio ?? -1);
    case 'memory':
      return (a.loadNow()?.memoryUsedBytes ?? -1) - (b.loadNow()?.memoryUsedBytes ?? -1);
    default:
      return 0;
  }
}

/** True when every word of the search is in the name, the title, the host or the id. */
export function matches(instance: InstanceModel, query: InstanceQuery): boolean {
  if (query.state && instance.get('state') !== query.state) return false;
  if (query.host && instance.get('host') !== query.host) return false;
  if (query.q === '') return true;
  const text =
    `${instance.get('name')} ${instance.get('title') ?? ''} ${instance.get('hostName')} ${instance.id}`.toLowerCase();
  return query.q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** The ids that match, in order; equal ones by name and id, so that the order is always the same. */
export function orderOf(instances: readonly InstanceModel[], query: InstanceQuery): string[] {
  const sign = query.down ? -1 : 1;
  return instances
    .filter((instance) => matches(instance, query))
    .sort(
      (a, b) =>
        sign * compareBy(query.sort, a, b) ||
        (query.sort === 'name' ? sign : 1) * byName(a.get('name')!, b.get('name')!) ||
        String(a.id).localeCompare(String(b.id)),
    )
    .map((instance) => String(instance.id));
}
