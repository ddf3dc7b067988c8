import { type CandidateDeps, candidateRoutes } from '../api/candidates/routes.ts';
import { type ComputeRouteDeps, computeRoutes } from '../api/compute/routes.ts';
import { type DeliveryRouteDeps, deliveryRoutes } from '../api/deliveries/routes.ts';
import { type DestinationDeps, destinationRoutes } from '../api/destinations/routes.ts';
import { type HealthDeps, healthRoutes } from '../api/health/routes.ts';
import { type HostDeps, hostRoutes } from '../api/hosts/routes.ts';
import { type ImageDeps, imageRoutes } from '../api/images/routes.ts';
import { type InstanceDeps, instanceRoutes } from '../api/instances/routes.ts';
import { type IntakeDeps, intakeRoutes } from '../api/intake/routes.ts';
import { type JobDeps, jobRoutes } from '../api/jobs/routes.ts';
import { type KeepDeps, keepRoutes } from '../api/keeps/routes.ts';
import { type LedgerDeps, ledgerRoutes } from '../api/ledger/routes.ts';
import { type ListDeps, listRoutes } from '../api/list/routes.ts';
import { type LogDeps, logRoutes } from '../api/logs/routes.ts';
import { type LokiDeps, lokiRoutes } from '../api/loki/routes.ts';
import { type MetricsSource, metricsRoutes } from '../api/metrics/routes.ts';
import { type MigrationRouteDeps, migrationRoutes } from '../api/migration/routes.ts';
import { openapiRoutes } from '../api/openapi/routes.ts';
import { type OtlpDeps, otlpRoutes } from '../api/otlp/routes.ts';
import { type RuleDeps, ruleRoutes } from '../api/rules/routes.ts';
import { type SampleDeps, sampleRoutes } from '../api/samples/routes.ts';
import { type ScanDeps, scanRoutes } from '../api/scans/routes.ts';
import { type SearchDeps, searchRoutes } from '../api/searches/routes.ts';
import { type SignInDeps, signInRoutes } from '../api/sign-in/routes.ts';
import { type TokenDeps, tokenRoutes } from '../api/tokens/routes.ts';
import { enrolRoute } from '../enrolment/enrol-route.ts';
import type { Route } from '../http/route.ts';

/** What the nouns need, by noun. */
export interface RouteDeps {
  signIn: SignInDeps;
  tokens: TokenDeps;
  health: HealthDeps;
  metrics: { registry: MetricsSource };
  hosts: HostDeps;
  instances: InstanceDeps;
  images: ImageDeps;
  jobs: JobDeps;
  compute: ComputeRouteDeps;
  migration: MigrationRouteDeps;
  logs: LogDeps;
  otlp: OtlpDeps;
  loki: LokiDeps;
  intake: IntakeDeps;
  searches: SearchDeps;
  keeps: KeepDeps;
  rules: RuleDeps;
  destinations: DestinationDeps;
  deliveries: DeliveryRouteDeps;
  ledger: LedgerDeps;
  samples: SampleDeps;
  list: ListDeps;
  candidates: CandidateDeps;
  scans: ScanDeps;
  enrolment: { routes: Route[] };
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
    ...hostRoutes(deps.hosts),
    ...instanceRoutes(deps.instances),
    ...imageRoutes(deps.images),
    ...jobRoutes(deps.jobs),
    ...computeRoutes(deps.compute),
    ...migrationRoutes(deps.migration),
    ...logRoutes(deps.logs),
    ...otlpRoutes(deps.otlp),
    ...lokiRoutes(deps.loki),
    ...intakeRoutes(deps.intake),
    ...searchRoutes(deps.searches),
    ...keepRoutes(deps.keeps),
    ...ruleRoutes(deps.rules),
    ...destinationRoutes(deps.destinations),
    ...deliveryRoutes(deps.deliveries),
    ...ledgerRoutes(deps.ledger),
    ...sampleRoutes(deps.samples),
    ...listRoutes(deps.list),
    ...candidateRoutes(deps.candidates),
    ...scanRoutes(deps.scans),
    ...deps.enrolment.routes,
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
  const known: Partial<RouteDeps> = {
    version,
    enrolment: { routes: [enrolRoute(() => Promise.reject(new Error('described')))] },
  };
  return managerRoutes(new Proxy(known as RouteDeps, { get: (deps, name: keyof RouteDeps) => deps[name] ?? nothing }));
}
