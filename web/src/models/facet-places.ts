import type { FacetValue } from './facets.ts';
import { outsideName } from './line-place.ts';

/** Agents that are no host: what WebVirt itself says. */
const OWN_AGENTS = ['manager', 'crawler'];
export const OUTSIDE_AGENT = 'external';

/**
 * The facet of hosts with what has none: WebVirt's own parts, and lines from outside by their way in. `agents` and `ways` are
 * counts of the fields `agent` and, among lines from outside, `via`.
 */
export function withPlaces(
  hosts: readonly FacetValue[],
  agents: readonly FacetValue[],
  ways: readonly FacetValue[],
): FacetValue[] {
  const own = agents
    .filter(({ value }) => OWN_AGENTS.includes(value))
    .map(({ value, count }): FacetValue => ({ value, count, name: value, term: ['agent', value] }));
  const known = ways.filter(({ value }) => value !== '');
  const outside = known.map(({ value, count }): FacetValue => {
    const name = outsideName(value);
    return {
      value: `via ${value}`,
      count,
      name: name === 'outside' ? `outside: ${value}` : name,
      term: ['via', value],
    };
  });
  const all = agents.find(({ value }) => value === OUTSIDE_AGENT)?.count ?? 0;
  const rest = all - known.reduce((sum, { count }) => sum + count, 0);
  if (rest > 0) outside.push({ value: OUTSIDE_AGENT, count: rest, name: 'outside', term: ['source', OUTSIDE_AGENT] });
  return [...hosts.filter(({ value }) => value !== ''), ...own, ...outside].sort((a, b) => b.count - a.count);
}
