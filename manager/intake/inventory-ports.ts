import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { AgentMessage } from '../../common/wire/link.ts';
import type { Bus } from '../bus/bus.ts';
import type { SampleStore } from '../store/ports.ts';
import type { Clocks } from './clocks.ts';
import type { KeeperStores } from './inventory-keeper.ts';
import type { IntakeLog } from './ports.ts';

export interface InventoryConfig {
  /** Without a message for this long a host is stale, then lost. */
  staleAfterMs: number;
  lostAfterMs: number;
  checkEveryMs: number;
  saveEveryMs: number;
}

export const INVENTORY_DEFAULTS: InventoryConfig = {
  staleAfterMs: 10_000,
  lostAfterMs: 60_000,
  checkEveryMs: 500,
  saveEveryMs: 1_000,
};

export interface InventoryDeps {
  stores: KeeperStores;
  samples: SampleStore;
  bus: Bus;
  log: IntakeLog;
  /** Where clocks of agents are kept; absent: in the inventory alone. */
  clocks?: Clocks;
  nowMs?: () => number;
  monotonicMs?: () => number;
}

export type HelloMessage = Extract<AgentMessage, { t: 'hello' }>;
export type StateMessage = Extract<
  AgentMessage,
  { t: 'host' | 'instances' | 'instance' | 'instance-gone' | 'samples' }
>;

/** The fleet as it is now, or was when it was last heard of. Unknown is not gone: nothing leaves by silence. */
export interface Inventory {
  hosts(): Host[];
  host(id: string): Host | null;
  instances(): Instance[];
  instance(id: string): Instance | null;
  /** Marks the instance as held by a job, or as free. */
  setBusy(instanceId: string, jobId: string | null): void;
  hello(hostId: string, message: HelloMessage): void;
  heard(hostId: string): void;
  message(hostId: string, message: StateMessage): void;
  /** The link is gone: the host is stale at once. */
  closed(hostId: string): void;
  /** The same id is live at two addresses; `false` when that is over. */
  conflict(hostId: string, held: boolean): void;
  /** Takes a host that was enrolled, or whose record changed; a revoked one leaves with its instances. */
  reload(hostId: string): void;
  start(): void;
  stop(): Promise<void>;
}
