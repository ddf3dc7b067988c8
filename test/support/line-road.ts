import { join } from 'node:path';
import type { JobReport } from '../../common/wire/link.ts';
import { type Bus, createBus } from '../../manager/bus/bus.ts';
import { createIntake, INTAKE_DEFAULTS, type Intake, type IntakeConfig } from '../../manager/intake/intake.ts';
import { createInventory, INVENTORY_DEFAULTS } from '../../manager/intake/inventory.ts';
import type { Inventory } from '../../manager/intake/inventory-ports.ts';
import type { IntakeFailpoint } from '../../manager/intake/ports.ts';
import { createLinks, LINKS_DEFAULTS, type Links } from '../../manager/links/links.ts';
import type { LinkHandlers, LinksConfig, LinkTls } from '../../manager/links/ports.ts';
import { type LineStoreOptions, type OpenLineStore, openLineStore } from '../../manager/store/duckdb/open.ts';
import type { LineStore, StateStore } from '../../manager/store/ports.ts';
import { openStateStore } from '../../manager/store/sqlite/open.ts';

export interface LineRoadOptions {
  dir: string;
  tls: LinkTls;
  links?: Partial<LinksConfig>;
  intake?: Partial<IntakeConfig>;
  store?: LineStoreOptions;
  /** Where the lines go instead of the embedded store. */
  lines?: LineStore;
  /** Puts something between the road and its store. */
  wrap?: (lines: LineStore) => LineStore;
  failpoint?: IntakeFailpoint;
}

/** The manager's road of lines and nothing else: links → intake → store, with the inventory beside it. */
export interface LineRoad {
  state: StateStore;
  store: OpenLineStore;
  bus: Bus;
  intake: Intake;
  inventory: Inventory;
  links: Links;
  reports: { hostId: string; report: JobReport }[];
  /** Fields of the log lines with this message so far. */
  said(message: string): Record<string, unknown>[];
  enrol(id: string, address: string, port: number): void;
  revoke(id: string): void;
  /** Resolves when the test holds; looks again at everything that happens on the bus and in the log. */
  until(test: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startLineRoad(options: LineRoadOptions): Promise<LineRoad> {
  const state = openStateStore(join(options.dir, 'webvirt.sqlite'), options.store?.failpoint);
  const store = await openLineStore(join(options.dir, 'lines.duckdb'), options.store ?? {});
  const bus = createBus((error) => {
    throw error;
  });
  const log: { message: string; fields: Record<string, unknown> }[] = [];
  const write = (message: string, fields: Record<string, unknown>) => {
    log.push({ message, fields });
    intake?.lineSink.add({ tsMs: Date.now(), level: 'info', source: 'manager', message, fields });
  };
  const logger = { info: write, warn: write, error: write };
  let intake: Intake | null = null;
  const made = createIntake(
    { ...INTAKE_DEFAULTS, ...options.intake },
    {
      ...{
        lines: options.lines ?? options.wrap?.(store.lines) ?? store.lines,
        settings: state.settings,
        bus,
        log: logger,
      },
      ...(options.failpoint === undefined ? {} : { failpoint: options.failpoint }),
    },
  );
  intake = made;
  const inventory = createInventory(INVENTORY_DEFAULTS, { stores: state, samples: store.samples, bus, log: logger });
  const reports: LineRoad['reports'] = [];
  const handlers: LinkHandlers = {
    onHello(sender, hello) {
      inventory.hello(sender.hostId, hello);
      return made.hello(sender, hello.epochs);
    },
    onFrames: (sender, frames) => made.acceptFrames(sender, frames),
    onOpen() {},
    onHeard: (hostId) => inventory.heard(hostId),
    onService: () => undefined,
    onState: (hostId, message) => inventory.message(hostId, message),
    onJobReport: (hostId, report) => void reports.push({ hostId, report }),
    onClosed(sender) {
      made.closed(sender);
      inventory.closed(sender.hostId);
    },
    onConflict: (hostId, held) => inventory.conflict(hostId, held),
    onMoved(hostId, address, port) {
      state.hosts.put({ ...state.hosts.get(hostId)!, address, port });
      inventory.reload(hostId);
    },
  };
  const links = createLinks(
    { ...LINKS_DEFAULTS, ...options.links },
    { hosts: state.hosts, tls: () => options.tls, handlers, log: logger },
  );
  inventory.start();
  links.start();
  return {
    ...{ state, store, bus, intake: made, inventory, links, reports },
    said: (message) => log.filter((said) => said.message === message).map((said) => said.fields),
    enrol(id, address, port) {
      const never = { facts: null, seenMs: 0, revokedMs: null, agentVersion: '' };
      state.hosts.put({ id, address, port, enrolledMs: Date.now(), enrolledBy: 'test', ...never });
      inventory.reload(id);
      links.dial(id);
    },
    revoke(id) {
      state.hosts.put({ ...state.hosts.get(id)!, revokedMs: Date.now() });
      inventory.reload(id);
      links.drop(id);
    },
    async until(test) {
      while (!test()) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async stop() {
      links.stop();
      await inventory.stop();
      await made.stop();
      await store.close();
      state.close();
    },
  };
}
