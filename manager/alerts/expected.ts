import type { RuleDraft } from '../../common/model/rule.ts';
import { fold } from '../../common/pure/query/fold.ts';
import type { KnownGroups } from './ports.ts';

/** Of whom a rule of silence expects lines: those that are there and pass its filter. Null: nobody lists them. */
export function expectedGroups(
  { groupBy, query: { host, instance } }: Pick<RuleDraft, 'groupBy' | 'query'>,
  known: KnownGroups,
): (string | null)[] | null {
  if (groupBy === null) return [null];
  const isHost = (given: string) => host === undefined || fold(given) === fold(host);
  if (groupBy === 'host')
    return known.hosts().flatMap(({ id, name }) => (isHost(id) || isHost(name) ? [name || id] : []));
  if (groupBy === 'instance')
    return known
      .instances()
      .flatMap((one) => ((instance === undefined || instance === one.id) && isHost(one.host) ? [one.id] : []));
  return null;
}
