import type { HealthDeps } from '../api/health/routes.ts';
import { healthRoutes } from '../api/health/routes.ts';
import type { MetricsSource } from '../api/metrics/routes.ts';
import { metricsRoutes } from '../api/metrics/routes.ts';
import { openapiRoutes } from '../api/openapi/routes.ts';
import { type SignInDeps, signInRoutes } from '../api/sign-in/routes.ts';
import { type TokenDeps, tokenRoutes } from '../api/tokens/routes.ts';
import type { Route } from '../http/route.ts';

/** What the nouns need, by noun. */
export interface RouteDeps {
  signIn: SignInDeps;
  tokens: TokenDeps;
  health: HealthDeps;
  metrics: { registry: MetricsSource };
  version: string;
}

/**
 * The one table of routes: router, guard, sockets, OpenAPI and the reference pages are made from it. To add a noun: write
 * `api/<noun>/routes.ts`, add it here, and add the rows of its routes to `http/guard-matrix.test.ts`.
 */
export function managerRoutes(deps: RouteDeps): Route[] {
  const routes: Route[] = [
    ...signInRoutes(deps.signIn),
    ...tokenRoutes(deps.tokens),
    ...healthRoutes(deps.health),
    ...metricsRoutes(deps.metrics),
    ...openapiRoutes({ routes: () => routes, version: deps.version }),
  ];
  return routes;
}

/**
 * The table for whoever only describes it (reference pages, matrix of authorisation): its handlers must not be called.
 * Nothing is opened or read.
 */
export function describedRoutes(version: string): Route[] {
  const nothing: unknown = new Proxy(() => nothing, { get: () => nothing });
  return managerRoutes(new Proxy({} as RouteDeps, { get: (_, name) => (name === 'version' ? version : nothing) }));
}
