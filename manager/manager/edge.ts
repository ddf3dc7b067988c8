import { hostname, networkInterfaces } from 'node:os';
import type { Alerts } from '../alerts/alerts.ts';
import { computeEvents } from '../api/compute/socket-events.ts';
import { consoleEvents } from '../api/console/socket-events.ts';
import { createMetrics } from '../api/metrics/metrics.ts';
import { type Auth, SESSION_COOKIE } from '../auth/auth.ts';
import type { Bus } from '../bus/bus.ts';
import type { ManagerConfig } from '../config.ts';
import type { Enrolment } from '../enrolment/enrolment.ts';
import { callRoute } from '../http/call-route.ts';
import { mustBeAllowed } from '../http/guard.ts';
import { hostAllowList, isLoopback } from '../http/host-names.ts';
import { createHttp, type Http } from '../http/http.ts';
import type { Log } from '../http/log.ts';
import { readQuery } from '../http/query.ts';
import { canonicalPath } from '../http/request-path.ts';
import { isSocketOriginAllowed } from '../http/same-origin.ts';
import { createInbox } from '../live/crawler-inbox.ts';
import { crawlerSocket } from '../live/crawler-socket.ts';
import { createLive, LIVE_DEFAULTS, type Live } from '../live/live.ts';
import { columnsOf, lineAt } from '../store/line-columns.ts';
import type { StateStore } from '../store/ports.ts';
import type { Fleet } from './fleet.ts';
import { createOutsideWays, type OutsideWays } from './outside-ways.ts';
import type { Peers } from './peers.ts';
import { managerRoutes } from './routes.ts';
import type { Storage } from './storage.ts';
import { watchAlerts } from './watch-alerts.ts';
import { watchMetrics } from './watch-metrics.ts';

export interface EdgeDeps {
  version: string;
  webFolder: string | null;
  auth: Auth;
  enrolment: Enrolment;
  fleet: Fleet;
  state: StateStore;
  storage: Storage;
  peers: Peers;
  alerts: Alerts;
  bus: Bus;
  log: Log;
  audit(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

export interface Edge {
  http: Http;
  live: Live;
  /** The ways of lines from outside. */
  outside: OutsideWays;
  /** Stops what hangs on the sockets of the crawler. */
  stopCrawler(): void;
  /** How a browser on this machine, or one elsewhere, calls the manager. */
  url(): string;
}

/** Everything that faces outwards: the table of routes, the sockets, the port. Wired, not started. */
export function createEdge(config: ManagerConfig, deps: EdgeDeps): Edge {
  const { version, auth, enrolment, fleet, state, storage, bus, log, audit } = deps;
  const { lines, samples } = storage.store;
  const now = Date.now;
  const metrics = createMetrics();
  const alarm = (message: string, fields: Record<string, unknown>) => audit('error', message, fields);
  const inbox = createInbox({ ...state, bus, alarm, now });
  const seenInbox: typeof inbox = {
    ...inbox,
    merge(finding) {
      inbox.merge(finding);
      // A scan that proves the key of a host of ours tells where it is now.
      if (finding.id !== null && state.hosts.get(finding.id)?.revokedMs === null) {
        void fleet.links.sighted(finding.id, finding);
      }
    },
  };
  const crawler = crawlerSocket({ ...state, intake: fleet.intake, inbox: seenInbox, bus, log, now });
  const outside = createOutsideWays(config, { intake: fleet.intake, log, tls: enrolment.tls, bus });
  const routes = managerRoutes({
    version,
    signIn: { auth, cookieName: SESSION_COOKIE, version },
    tokens: { tokens: auth.tokens, audit, now },
    health: { checks: [{ name: 'lines', waiting: storage.store.waiting }], managers: deps.peers.managers },
    metrics,
    hosts: fleet,
    instances: fleet,
    images: fleet,
    jobs: fleet,
    compute: fleet,
    migration: fleet,
    logs: { lines, door: outside.door, nowMs: now },
    otlp: { door: outside.door, nowMs: now },
    loki: { door: outside.door, nowMs: now },
    intake: outside,
    searches: { searches: state.searches, bus, now },
    keeps: { keeps: state.keeps, bus, audit, now },
    rules: { ...deps.alerts, audit },
    destinations: { ...deps.alerts, audit },
    deliveries: deps.alerts,
    ledger: { lines, ...fleet, audit },
    samples: { samples, nowMs: now },
    list: fleet,
    candidates: {
      candidates: state.candidates,
      inbox,
      enrolment: { ...enrolment, defaultOrigin: () => origin('https', config, http) },
      audit,
    },
    scans: { scans: state.scans, crawler, onScan: (id) => bus.emit('scan', { id }), audit },
    enrolment,
  });
  const live = createLive(
    {
      ...LIVE_DEFAULTS,
      maxSockets: config.live.maxSockets,
      maxSubscriptions: config.live.maxSubscriptions,
      maxTails: config.live.maxTails,
      queueLines: config.live.queueLines,
      queueBytes: config.live.queue,
      changeGapMs: config.live.changeGap,
    },
    {
      guard: {
        authenticate: auth.authenticate,
        mustBeAllowed,
        isHostAllowed: hostAllowList(config.http.allowedHosts, hostname()),
        isOriginAllowed: isSocketOriginAllowed,
        isStillValid: auth.isStillValid,
      },
      http: { routes, callRoute, readQuery, canonicalPath },
      lines,
      batches: { columnsOf, lineAt },
      bus,
      log,
      events: [...crawler.events, ...computeEvents(fleet), ...consoleEvents(fleet)],
    },
  );
  const http: Http = createHttp(
    {
      listen: config.listen,
      port: config.port,
      allowedHosts: config.http.allowedHosts,
      headerTimeoutMs: config.http.headerTimeout,
      requestTimeoutMs: config.http.requestTimeout,
      maxConnections: config.http.maxConnections,
      webFolder: deps.webFolder,
    },
    { routes, auth, tls: enrolment.tls(), log, audit, socket: live.attach, observe: metrics.observeHttp },
  );
  watchAlerts(metrics, { alerts: deps.alerts, outside });
  watchMetrics(metrics, { ...fleet, live, lines, peers: deps.peers });
  return { http, live, outside, stopCrawler: crawler.stop, url: () => origin('http', config, http) };
}

/** Address to call: as configured where that is one, else the first that others can reach. */
function origin(scheme: 'http' | 'https', { listen, http: { allowedHosts } }: ManagerConfig, http: Http): string {
  const { port } = http.address();
  if (listen !== '0.0.0.0' && listen !== '::') {
    // From elsewhere plain HTTP is only redirected.
    const reach = scheme === 'http' && !isLoopback(listen) ? 'https' : scheme;
    return `${reach}://${listen.includes(':') ? `[${listen}]` : listen}:${port}`;
  }
  if (scheme === 'http') return `http://127.0.0.1:${port}`;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const reachable = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  return `${scheme}://${allowedHosts[0] ?? reachable ?? '127.0.0.1'}:${port}`;
}
