import type { Bus } from '../bus/bus.ts';
import { COMMANDS_DEFAULTS, type Commands, createCommands } from '../commands/commands.ts';
import { COMPUTE_DEFAULTS, type Compute, createCompute } from '../compute/compute.ts';
import type { ManagerConfig } from '../config.ts';
import { CONSOLES_DEFAULTS, type Consoles, createConsoles } from '../console/consoles.ts';
import type { Log } from '../http/log.ts';
import { createClocks } from '../intake/clocks.ts';
import { createFills, type Fills } from '../intake/fill.ts';
import { createIntake, INTAKE_DEFAULTS, type Intake } from '../intake/intake.ts';
import { createInventory, INVENTORY_DEFAULTS } from '../intake/inventory.ts';
import type { Inventory } from '../intake/inventory-ports.ts';
import { createKnownResources, type KnownResources } from '../launch/host-resources.ts';
import { createLaunches, type Launches } from '../launch/launches.ts';
import { type Asks, createAsks } from '../links/asks.ts';
import { createLinks, LINKS_DEFAULTS, type Links } from '../links/links.ts';
import type { LinkHandlers } from '../links/ports.ts';
import { createHostServices, type HostService } from '../links/services.ts';
import { createMigration, type Migration } from '../migration/migration.ts';
import type { LineStore, SampleStore, StateStore } from '../store/ports.ts';

export interface FleetDeps {
  state: StateStore;
  lines: LineStore;
  samples: SampleStore;
  bus: Bus;
  log: Log;
  /** The manager's client certificate for agents; asked at each dial. */
  linkTls: () => { key: string; cert: string; ca: string };
}

export interface Fleet {
  intake: Intake;
  inventory: Inventory;
  commands: Commands;
  links: Links;
  /** Gaps of the ledger are filled from spools. */
  fills: Fills;
  /** Questions to the agents. */
  asks: Asks;
  compute: Compute;
  consoles: Consoles;
  resources: KnownResources;
  launches: Launches;
  migration: Migration;
  /** A host was enrolled: it is shown and dialled. */
  enrolled(hostId: string): void;
}

/** The road from the agents into the stores, and the road of commands back: wired, not started. */
export function createFleet(config: ManagerConfig, deps: FleetDeps): Fleet {
  const { state, lines, samples, bus, log, linkTls } = deps;
  const clocks = createClocks({ nowMs: Date.now, monotonicMs: () => performance.now() });
  const intake = createIntake(
    {
      ...INTAKE_DEFAULTS,
      limitCommitLines: config.lines.commitLines,
      limitQueuedBytes: config.lines.waiting,
      retryMs: config.lines.retry,
    },
    { lines, settings: state.settings, bus, log, clockOffsetMs: clocks.offsetMs },
  );
  const inventory = createInventory(
    { ...INVENTORY_DEFAULTS, staleAfterMs: config.links.silence, lostAfterMs: config.links.lost },
    { stores: state, samples, bus, log, clocks },
  );
  const fills = createFills({
    ...{ lines, bus, log, nowMs: Date.now, clockOffsetMs: clocks.offsetMs },
    ask: (hostId, what, args, options) => asks.ask(hostId, what, args, options),
  });
  const asks = createAsks({ send: (hostId, message) => links.send(hostId, message) });
  const resources = createKnownResources({ settings: state.settings, bus, log });
  const compute = createCompute(
    {
      ...COMPUTE_DEFAULTS,
      perOwner: config.compute.perPerson,
      keepMs: config.compute.keep,
      keepBytes: config.compute.keepSize,
      keepSessions: config.compute.keepSessions,
      hostGoneMs: config.compute.hostGone,
    },
    {
      ...{ store: state.compute, inventory, bus, log },
      link: { send: (hostId, message) => links.send(hostId, message) },
    },
  );
  const migration = createMigration(
    { graceMs: config.jobs.patience },
    {
      ...{ inventory, jobs: state.jobs, log, ask: asks.ask },
      link: {
        send: (hostId, message) => links.send(hostId, message),
        connected: (hostId) => links.connected(hostId),
      },
      commands: {
        dispatch: (request) => commands.dispatch(request),
        get: (id) => commands.get(id),
        conclude: (id, outcome) => commands.conclude(id, outcome),
        reopen: (id) => commands.reopen(id),
        tell: (id, phase) => commands.tell(id, phase),
      },
    },
  );
  const consoles = createConsoles(CONSOLES_DEFAULTS, {
    ...{ inventory, bus, log, ask: asks.ask },
    link: {
      send: (hostId, message) => links.send(hostId, message),
      connected: (hostId) => links.connected(hostId),
    },
  });
  const shared: HostService[] = [asks, compute.hostService, resources, consoles.hostService];
  const services = createHostServices(shared, log);
  const handlers: LinkHandlers = {
    async onHello(sender, hello) {
      // At once: what follows takes its time, and lines are corrected by this.
      clocks.told(sender.agent, hello.clockMs);
      const answer = await intake.hello(sender, hello.epochs);
      // Last: a host that is shown as online takes commands.
      inventory.hello(sender.hostId, hello);
      return answer;
    },
    onFrames: (sender, frames) => intake.acceptFrames(sender, frames),
    onOpen(hostId) {
      commands.onConnected(hostId);
      services.up(hostId);
      migration.up(hostId);
    },
    onHeard: (hostId) => inventory.heard(hostId),
    onState: (hostId, message) => inventory.message(hostId, message),
    onJobReport: (hostId, report) => commands.onReport(hostId, report),
    onService: services.take,
    onClosed(sender) {
      services.down(sender.hostId);
      intake.closed(sender);
      inventory.closed(sender.hostId);
    },
    onConflict: (hostId, held) => inventory.conflict(hostId, held),
    onMoved(hostId, address, port) {
      const host = state.hosts.get(hostId);
      if (host === null) return;
      state.hosts.put({ ...host, address, port });
      inventory.reload(hostId);
      log.warn('a host answers at another address', {
        source: 'audit',
        host: hostId,
        address,
        port,
        from: host.address,
      });
    },
  };
  const links = createLinks(
    {
      ...LINKS_DEFAULTS,
      pingEveryMs: config.links.ping,
      silenceMs: config.links.silence,
      firstRetryMs: config.links.redialMin,
      longestRetryMs: config.links.redialMax,
    },
    { hosts: state.hosts, tls: linkTls, handlers, log },
  );
  const commands = createCommands(
    {
      ...COMMANDS_DEFAULTS,
      expiryMs: config.jobs.expiry,
      silenceMs: config.jobs.silence,
      hostGoneMs: config.jobs.hostGone,
    },
    { jobs: state.jobs, inventory, link: links, bus, log, judge: migration.judge },
  );
  return {
    intake,
    inventory,
    commands,
    links,
    asks,
    fills,
    compute,
    consoles,
    resources,
    migration,
    launches: createLaunches({ inventory, commands, resources, log }),
    enrolled(hostId) {
      inventory.reload(hostId);
      links.dial(hostId);
    },
  };
}
