import { WebvirtError } from '../../common/errors.ts';
import type { Principal } from '../../common/model/access.ts';
import type { Route } from '../http/route.ts';
import type { SharedRoutes } from './ports.ts';

/** One readable address, found in the table of routes. */
export interface Address {
  route: Route;
  params: Record<string, string>;
  query: Record<string, string | string[]>;
}

/**
 * Finds the GET route of an address that can be subscribed to. Throws `not-found` for any spelling but the canonical
 * one, for unknown addresses, and for routes that are not live.
 */
export function createResourceTable(http: SharedRoutes): (uri: string) => Address {
  const live = http.routes
    .filter((route) => route.method === 'GET' && route.live !== undefined)
    .map((route) => ({ route, segments: route.path.split('/') }))
    // Where two patterns fit, the literal one wins, as in the router.
    .sort((a, b) => weight(a.segments) - weight(b.segments));
  return (uri) => {
    const path = uri.startsWith('/') && !uri.includes('#') ? http.canonicalPath(uri) : null;
    if (path !== null) {
      const segments = path.split('/');
      for (const candidate of live) {
        const params = match(candidate.segments, segments);
        if (params !== null) return { route: candidate.route, params, query: http.readQuery(uri) };
      }
    }
    throw new WebvirtError('not-found', 'This address cannot be subscribed to.', { uri: uri.slice(0, 256) });
  };
}

function weight(pattern: string[]): number {
  return pattern.filter((segment) => segment.startsWith(':')).length;
}

function match(pattern: string[], segments: string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const [wanted, given] = [pattern[i]!, segments[i]!];
    if (wanted.startsWith(':')) params[wanted.slice(1)] = decodeURIComponent(given);
    else if (wanted !== given) return null;
  }
  return params;
}

/** The same address however its query is ordered: subscribers of one key share one computation. */
export function addressKey(address: Address, principal: Principal): string {
  const scope = isPersonal(address.route) ? `person ${principal.role} ${principal.name}` : `role ${principal.role}`;
  const query = Object.entries(address.query).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([scope, address.route.path, address.params, query]);
}

/** True for a route whose body depends on who asks (`live.perPerson`): it is computed for each person. */
function isPersonal(route: Route): boolean {
  return route.live?.perPerson === true;
}

/**
 * Who a shared computation runs as: the role alone. A route that depends on the person and does not say so finds
 * nothing here, which a test sees; it can never show one person what is another's.
 */
export function scopeOf(address: Address, principal: Principal): Principal {
  return isPersonal(address.route) ? principal : { ...principal, name: '', credentialId: '' };
}
