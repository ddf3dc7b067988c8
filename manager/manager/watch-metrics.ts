import type { Metrics } from '../api/metrics/metrics.ts';
import type { Inventory } from '../intake/inventory-ports.ts';
import type { Live } from '../live/live.ts';
import type { LineStore } from '../store/ports.ts';

export interface MetricSources {
  inventory: Pick<Inventory, 'hosts' | 'instances'>;
  live: Pick<Live, 'stats'>;
  lines: Pick<LineStore, 'stats'>;
  compute: { list(): readonly { state: string }[] };
  intake: { counters: Readonly<Record<string, number>> };
  peers: { numbers(): Record<string, number> | null };
}

/** The numbers of the manager's parts, read when somebody asks for the metrics. */
export function watchMetrics(
  metrics: Metrics,
  { inventory, live, lines, intake, compute, peers }: MetricSources,
): void {
  metrics.gaugeBy('webvirt_hosts', 'Hosts by state.', 'state', () => countBy(inventory.hosts()));
  metrics.gaugeBy('webvirt_instances', 'Instances by state.', 'state', () => countBy(inventory.instances()));
  metrics.gaugeBy('webvirt_computations', 'Computation sessions by state.', 'state', () => countBy(compute.list()));
  metrics.gaugeBy('webvirt_live', 'Sockets, watched addresses, tails of lines.', 'part', () => ({ ...live.stats() }));
  metrics.gaugeBy('webvirt_intake_total', 'What came in since the start, by kind.', 'kind', () => ({
    ...intake.counters,
  }));
  if (peers.numbers() !== null)
    metrics.gaugeBy('webvirt_bus', 'The road to and from the other managers.', 'part', () => peers.numbers() ?? {});
  const stats = sharedWhileRunning(() => lines.stats());
  metrics.gauge('webvirt_lines', 'Lines in the store.', async () => (await stats()).lines);
  metrics.gauge('webvirt_lines_bytes', 'Size of the store of lines.', async () => (await stats()).bytesOnDisk);
  metrics.gauge(
    'webvirt_lines_unsealed',
    'Lines that are not in sealed files yet.',
    async () => (await stats()).unsealedLines ?? 0,
  );
  metrics.gauge(
    'webvirt_lines_held_back_seconds',
    'For how long storing lines was held up since the start, because sealing was behind.',
    async () => ((await stats()).heldBackMs ?? 0) / 1_000,
  );
  metrics.gauge(
    'webvirt_lines_unreadable',
    'Stored lines that are known to be unreadable: the disk does not give them as they were written.',
    async () => ((await stats()).unreadable ?? []).reduce((sum, file) => sum + file.lines, 0),
  );
  metrics.gauge(
    'webvirt_lines_scrub_ended_seconds',
    'When all sealed lines were last read and compared with their checksums, as a Unix time; 0: not yet.',
    async () => ((await stats()).scrub?.lastPassMs ?? 0) / 1_000,
  );
}

/** All numbers of one scrape come from one call: whoever asks while it runs shares its answer. */
function sharedWhileRunning<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () => {
    running ??= read().finally(() => {
      running = null;
    });
    return running;
  };
}

function countBy(list: readonly { state: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of list) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
