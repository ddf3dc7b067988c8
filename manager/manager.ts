import { createLogger } from '../logging/logger.ts';
import { createAuth } from './auth/auth.ts';
import { createBus } from './bus/bus.ts';
import type { ManagerConfig } from './config.ts';
import { createEnrolment } from './enrolment/enrolment.ts';
import { createManagerAlerts, ownGroups } from './manager/alerts.ts';
import { lockDataDir } from './manager/data-lock.ts';
import { createEdge, type Edge } from './manager/edge.ts';
import { explainStartError } from './manager/explain.ts';
import { createFleet, type Fleet } from './manager/fleet.ts';
import { createLateSink } from './manager/late-sink.ts';
import { createPeers } from './manager/peers.ts';
import { createStartRoom } from './manager/start-room.ts';
import { type Part, stopInOrder } from './manager/stop-in-order.ts';
import { openStorage } from './manager/storage.ts';

/** How long the start waits for the store of lines; a longer recovery goes on behind the console. */
const LINES_OPEN_LIMIT_MS = 700;
/** How long one part may take to stop. */
const STOP_LIMIT_MS = 3000;

export interface ManagerDeps {
  version: string;
  /** Folder of the built console; null: none. */
  webFolder: string | null;
  /** True to write the log to stderr as well. */
  stderr: boolean;
}

export interface Manager {
  /** Resolves when the port is open. Throws an Error whose message is one clear line; everything is stopped again then. */
  start(): Promise<{ url: string; firstPassword: string | null }>;
  /** Stops every part in reverse order, each within its limit. */
  stop(): Promise<void>;
  address(): { host: string; port: number };
}

/** The manager, put together: the only place where its parts are made and handed to one another. */
export function createManager(config: ManagerConfig, { version, webFolder, stderr }: ManagerDeps): Manager {
  const sink = createLateSink();
  const log = createLogger({ program: 'manager', level: config.logLevel, stderr, sinks: [sink] });
  const audit = (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) =>
    void log[level](message, { source: 'audit', ...fields });
  const parts: Part[] = [];
  let edge: Edge | null = null;

  async function start(): Promise<{ url: string; firstPassword: string | null }> {
    const startedMs = performance.now();
    const room = createStartRoom(config.dataDir);
    const lock = lockDataDir(config.dataDir, room.giveUp);
    parts.push({ name: 'data lock', stop: lock.release });
    if (room.giveUp())
      log.error('the disk is full: room that was kept for this is used to start; lines wait on their hosts for space', {
        dataDir: config.dataDir,
      });
    const bus = createBus((error, event) => log.error('a listener failed', { event, error: String(error) }));
    const storage = openStorage(
      config,
      (error) => log.error('the store of lines cannot be opened; it is tried again', { error: String(error) }),
      (message, fields) => log.warn(message, fields),
      (message, fields) => log.info(message, fields),
      (message, fields) => log.error(message, fields),
    );
    bus.on('keep', storage.retainSoon);
    parts.push({ name: 'stores', stop: storage.close });
    const { store } = storage;
    const peers = createPeers(config, { state: storage.state, bus, log, version, lines: store.lines });
    const { state } = peers;

    const auth = createAuth(
      {
        dataDir: config.dataDir,
        adminPassword: config.adminPassword,
        sessions: {
          idleMs: config.signIn.idle,
          absoluteMs: config.signIn.absolute,
          rememberMs: config.signIn.remember,
        },
        tries: {
          tries: config.signIn.tries,
          windowMs: config.signIn.triesWindow,
          maxWaitMs: config.signIn.maxWait,
          maxEntries: 10_000,
        },
        passwords: { cost: 2 ** 15, atOnce: 2, waiting: 32 },
      },
      { store: state.accounts, settings: state.settings, bus, audit, now: Date.now },
    );
    let fleet: Fleet | null = null;
    const [accounts, enrolment] = await Promise.all([
      auth.start(),
      createEnrolment(
        {
          dataDir: config.dataDir,
          listen: config.listen,
          names: config.http.allowedHosts,
          port: () => edge?.http.address().port ?? config.port,
        },
        {
          tokens: state.enrolTokens,
          hosts: state.hosts,
          settings: state.settings,
          onEnrolled: (hostId) => fleet?.enrolled(hostId),
          audit,
          now: Date.now,
        },
      ),
      store.open(LINES_OPEN_LIMIT_MS),
    ]);
    parts.push({ name: 'accounts', stop: auth.stop });
    fleet = createFleet(config, { ...store, state, bus, log, linkTls: enrolment.linkTls });
    const { intake, inventory, commands, links, resources } = fleet;
    sink.attach(intake.lineSink);

    const alerts = createManagerAlerts(config, {
      ...{ state, lines: store.lines, fleet, bus, log, peers, consoleUrl: () => edge?.url() ?? '' },
    });
    peers.serve({ alerts, known: ownGroups(fleet) });
    const own = { version, webFolder, auth, enrolment, fleet, state, storage, peers, alerts, bus, log, audit };
    edge = createEdge(config, own);
    intake.start();
    parts.push({ name: 'intake', stop: intake.stop });
    parts.push({ name: 'lines from outside', stop: edge.outside.stop });
    inventory.start();
    parts.push({ name: 'inventory', stop: inventory.stop });
    parts.push({ name: 'resources', stop: resources.stop });
    fleet.migration.start();
    parts.push({ name: 'migrations', stop: fleet.migration.stop });
    commands.start();
    parts.push({ name: 'commands', stop: commands.stop });
    fleet.compute.start();
    parts.push({ name: 'compute', stop: fleet.compute.stop });
    alerts.start();
    parts.push({ name: 'rules', stop: alerts.stop });
    links.start();
    parts.push({ name: 'links', stop: links.stop });
    parts.push({ name: 'consoles', stop: fleet.consoles.stop });
    peers.start();
    parts.push({ name: 'other managers', stop: peers.stop });
    await edge.outside.start();
    await edge.http.start();
    parts.push({ name: 'port', stop: () => edge?.http.stop(1000) });
    parts.push({ name: 'crawler', stop: edge.stopCrawler });
    parts.push({ name: 'sockets', stop: edge.live.stop });
    enrolment.start();
    parts.push({ name: 'enrolment', stop: enrolment.stop });
    storage.startRetention(log);
    room.start();
    parts.push({ name: 'room', stop: room.stop });
    auth.firstPasswordShown();
    log.info('manager is ready', { version, url: edge.url(), tookMs: Math.round(performance.now() - startedMs) });
    return { url: edge.url(), firstPassword: accounts.firstPassword };
  }

  async function stop(): Promise<void> {
    if (parts.length > 0) log.info('manager stops', {});
    await stopInOrder(parts.splice(0), STOP_LIMIT_MS, (problem) => log.warn('a part did not stop in time', problem));
  }

  return {
    async start() {
      try {
        return await start();
      } catch (error) {
        await stop();
        throw new Error(explainStartError(error, config.dataDir), { cause: error });
      }
    },
    stop,
    address: () => edge!.http.address(),
  };
}
