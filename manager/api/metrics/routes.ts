import { defineRoute, type Route } from '../../http/route.ts';

export interface MetricsSource {
  metrics(): Promise<string>;
}

/** What prom-client writes. */
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/** Numbers of the manager for Prometheus, which signs in with a token. */
export function metricsRoutes({ registry }: { registry: MetricsSource }): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/metrics',
      summary: 'Metrics',
      purpose: 'Numbers about the manager itself in the text format of Prometheus. Scrape it with a bearer token.',
      access: 'member',
      rawType: TEXT,
      handle: () => registry.metrics(),
    }),
  ];
}
