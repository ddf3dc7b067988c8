import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { WebvirtError } from '../../common/errors.ts';
import type { Principal } from '../../common/model/access.ts';
import { bearerOf } from '../../common/pure/headers/bearer.ts';
import type { Route } from './route.ts';
import { isSameOrigin } from './same-origin.ts';

/** What the guard needs to know of credentials. */
export interface Authenticator {
  /** Who makes the call, from its Cookie or Authorization header; null for nobody or a credential that is no good. */
  authenticate(headers: IncomingHttpHeaders): Principal | null;
  /** The CSRF token that belongs to a session; null for bearer tokens. */
  csrfToken(principal: Principal): string | null;
}

/** The one rule of who may call what, for HTTP and sockets alike. Throws `not-signed-in` or `forbidden`. */
export function mustBeAllowed(access: Route['access'], principal: Principal | null): void {
  if (access === 'open') return;
  if (principal === null) throw new WebvirtError('not-signed-in');
  if (access === 'service' ? principal.role !== 'service' : principal.role !== 'admin')
    throw new WebvirtError('forbidden');
}

/**
 * Lets a request through to its route or throws. Unsafe methods are refused when a page of another site made them and,
 * with a session cookie, without the session's CSRF token; a bearer token is never added by a browser and is exempt.
 */
export function guard(
  route: Pick<Route, 'access'>,
  method: string,
  headers: IncomingHttpHeaders,
  auth: Authenticator,
): Principal | null {
  const principal = auth.authenticate(headers);
  if (method !== 'GET' && method !== 'HEAD') {
    if (principal?.via !== 'token' && !isSameOrigin(headers)) throw new WebvirtError('bad-origin');
    // An open route is called without using a session that may be there: signing in anew must work with an old cookie.
    if (principal?.via === 'session' && route.access !== 'open') mustHaveCsrfToken(headers, auth.csrfToken(principal));
  }
  if (principal === null && route.access !== 'open' && bearerOf(headers.authorization) !== null) {
    throw new WebvirtError('bad-token');
  }
  mustBeAllowed(route.access, principal);
  return principal;
}

function mustHaveCsrfToken(headers: IncomingHttpHeaders, expected: string | null): void {
  const given = headers['x-csrf-token'];
  if (expected === null || typeof given !== 'string' || !sameText(given, expected))
    throw new WebvirtError('csrf-missing');
}

/** Compares in a time that tells nothing, whatever the lengths are. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
