import Router from '@koa/router';
import { WebvirtError } from '../../common/errors.ts';
import type { Authenticator } from './guard.ts';
import { routeMiddleware } from './http-route.ts';
import type { Route } from './route.ts';

/** Which methods an address knows, for 405; empty when no route is there. */
export type MethodsAt = (path: string) => string[];

/**
 * The router of the table of routes. Addresses are matched letter by letter; where two patterns fit, the one with the
 * literal segment wins whatever the order of the table. Throws at start when two routes have the same method and address.
 */
export function createRouter(routes: readonly Route[], auth: Authenticator): { router: Router; methodsAt: MethodsAt } {
  mustBeDistinct(routes);
  const router = new Router({ sensitive: true, strict: true });
  for (const route of [...routes].sort(byLiteralFirst)) {
    router.register(route.path, [route.method.toLowerCase()], [routeMiddleware(route, auth)]);
  }
  const methodsAt: MethodsAt = (path) => [...new Set(router.match(path, 'GET').path.flatMap((layer) => layer.methods))];
  return { router, methodsAt };
}

/** The answer to a known address called with a method it does not know. */
export function wrongMethod(methods: string[]): WebvirtError {
  return new WebvirtError('method-not-allowed', `This address knows ${methods.join(', ')}.`, {
    allow: methods.join(', '),
  });
}

function byLiteralFirst(a: Route, b: Route): number {
  return sortKey(a.path) < sortKey(b.path) ? -1 : 1;
}

/** A parameter sorts behind every literal segment. */
function sortKey(path: string): string {
  return path.replaceAll(/:[A-Za-z]+/g, '\uffff');
}

function mustBeDistinct(routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const route of routes) {
    const key = `${route.method} ${sortKey(route.path)}`;
    if (seen.has(key)) throw new Error(`two routes at ${route.method} ${route.path}`);
    seen.add(key);
  }
}
