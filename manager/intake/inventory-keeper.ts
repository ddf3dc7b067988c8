import type { HostStore, InstanceStore, SampleRow, SampleStore, StoredHost } from '../store/ports.ts';
import type { InstancePlaces } from './instance-places.ts';
import type { IntakeLog } from './ports.ts';

const LIMIT_WAITING_SAMPLES = 200_000;

export interface KeeperStores {
  hosts: HostStore;
  instances: InstanceStore;
  together(work: () => void): void;
}

/**
 * Writes what changed in the inventory once in a while, as one transaction: a host that reports a thousand instances
 * must not cost a thousand syncs. What is lost in a crash in between is told again by the agents.
 */
export function createKeeper(
  config: { saveEveryMs: number },
  deps: { stores: KeeperStores; samples: SampleStore; log: IntakeLog },
  places: InstancePlaces,
  known: (hostId: string) => Pick<StoredHost, 'facts' | 'agentVersion' | 'seenMs'> | null,
) {
  const hosts = new Set<string>();
  const instances = new Map<string, { host: string; id: string }>();
  let samples: SampleRow[] = [];
  let timer: NodeJS.Timeout | null = null;
  let failed = false;

  function saveState(): void {
    if (hosts.size === 0 && instances.size === 0) return;
    const { stores } = deps;
    stores.together(() => {
      for (const id of hosts) {
        // Address, revocation and the rest belong to others: only what the agent told is ours to write.
        const stored = stores.hosts.get(id);
        const told = known(id);
        if (stored !== null && told !== null) stores.hosts.put({ ...stored, ...told });
      }
      for (const { host, id } of instances.values()) {
        const placed = places.at(host, id);
        if (placed === undefined) stores.instances.remove(host, id);
        else stores.instances.put(host, placed.instance, placed.changedMs);
      }
    });
    hosts.clear();
    instances.clear();
  }

  async function save(): Promise<void> {
    const rows = samples;
    samples = [];
    try {
      saveState();
      await deps.samples.append(rows);
      failed = false;
    } catch (error) {
      if (!failed) deps.log.warn('The inventory or its samples could not be kept', { error: String(error) });
      failed = true;
    }
  }

  return {
    host: (id: string) => void hosts.add(id),
    instance: (host: string, id: string) => void instances.set(`${host} ${id}`, { host, id }),
    sample(row: SampleRow): void {
      if (samples.length < LIMIT_WAITING_SAMPLES) samples.push(row);
    },
    start(): void {
      timer = setInterval(() => void save(), config.saveEveryMs);
      timer.unref();
    },
    async stop(): Promise<void> {
      if (timer !== null) clearInterval(timer);
      await save();
    },
  };
}
