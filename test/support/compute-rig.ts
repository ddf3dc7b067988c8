import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ComputeServer, OutputEvent } from '../../common/model/compute.ts';
import type { ManagerMessage } from '../../common/wire/link.ts';
import type { SentEvent } from '../../common/wire/services.ts';
import { createBus } from '../../manager/bus/bus.ts';
import { COMPUTE_DEFAULTS, type Compute, createCompute } from '../../manager/compute/compute.ts';
import type { ComputeConfig } from '../../manager/compute/ports.ts';
import type { ComputeStore } from '../../manager/store/ports.ts';
import { openComputeStore } from '../../manager/store/sqlite/compute.ts';

const SERVER: ComputeServer = {
  ...{ state: 'ready', reason: null, checks: [], limits: null, sessions: 0 },
  kernels: [{ name: 'python', title: 'Python', pooled: 1 }],
};

/** Computations on a real store in this folder, linked with hosts that the test plays. */
export function startComputeRig(folder: string, options: { hosts?: string[]; config?: Partial<ComputeConfig> } = {}) {
  mkdirSync(folder, { recursive: true });
  const hosts = options.hosts ?? ['h1'];
  const opened = openComputeStore(join(folder, 'compute.sqlite'));
  const faults = { write: null as Error | null, after: null as Error | null, sync: null as Promise<void> | null };
  let syncs = 0;
  const waiting = new Set<() => void>();
  const store: ComputeStore = {
    ...opened,
    write(given) {
      if (faults.write !== null) throw faults.write;
      opened.write(given);
      // Behind the next write everything fails.
      if (faults.after !== null) [faults.write, faults.after] = [faults.after, null];
    },
    sync: async () => {
      syncs += 1;
      for (const look of [...waiting]) look();
      await faults.sync;
      await opened.sync();
    },
  };
  const sent: { host: string; message: ManagerMessage }[] = [];
  let nowMs = 1_000;
  const bus = createBus((error) => {
    throw error;
  });
  const compute: Compute = createCompute(
    { ...COMPUTE_DEFAULTS, sweepMs: 5, ...options.config },
    {
      store,
      inventory: { hosts: () => hosts.map((id) => ({ id, name: `name-${id}`, state: 'online', load: null })) },
      link: {
        send(host, message) {
          sent.push({ host, message });
          for (const look of [...waiting]) look();
          return true;
        },
      },
      bus,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      nowMs: () => nowMs++,
    },
  );
  return {
    ...{ compute, sent, faults, hosts, bus },
    close: opened.close,
    /** How often the disk was asked to sync. */
    syncs: () => syncs,
    up(list: { session: string; next: number; cells?: number }[] = [], host = 'h1') {
      compute.hostService.take(host, { t: 'compute-sessions', list });
      compute.hostService.take(host, { t: 'compute-server', server: SERVER });
    },
    events(session: string, first: number, list: OutputEvent[], host = 'h1') {
      const events: SentEvent[] = list.map((event, i) => ({ n: first + i, tsMs: 5, event }));
      compute.hostService.take(host, { t: 'compute-events', session, events });
    },
    acks: () => sent.flatMap(({ message }) => (message.t === 'compute-ack' ? [message.next] : [])),
    requests: () => sent.flatMap(({ message }) => (message.t === 'compute' ? [message.request] : [])),
    until: (test: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (test()) {
            waiting.delete(look);
            resolve();
          }
        };
        waiting.add(look);
        look();
      }),
    textOf: (session: string) =>
      compute
        .output(session, 0, 10_000)
        .events.map(({ seq, event }) => `${seq} ${event.type === 'stdout' ? event.text : event.type}`),
  };
}
