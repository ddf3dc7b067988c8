import type { HostLoad } from '../../common/model/host.ts';
import type { AgentInstance, InstanceSample } from '../../common/model/instance.ts';
import type { IoRates } from './counters.ts';
import type { GuestUse } from './guest-processes.ts';

/** Where the numbers come from: /proc for QEMU, libvirt itself for its test driver. */
export interface SamplerDeps {
  now(): number;
  /** Runs first: finds what has no event (autostart, saved images) and whether libvirt answers. */
  relist(): Promise<void>;
  running(): AgentInstance[];
  use(running: readonly AgentInstance[]): Promise<Map<string, GuestUse>>;
  io(id: string): IoRates;
  /** Starts a new read of the slow counters, in the background. */
  readIo(): void;
  load(): Promise<HostLoad | null>;
  deliver(tsMs: number, list: InstanceSample[], load: HostLoad): void;
}

/** Block and network counters ask every QEMU's monitor (about 1.5 ms each): so seldom. */
const IO_EVERY_MS = 30_000;

/** Takes samples every `everyMs`; a slow round delays the next one, rounds never overlap. */
export function createSampler(config: { everyMs: number }, deps: SamplerDeps): { start(): void; stop(): void } {
  let before = new Map<string, { cpuSeconds: number; atMs: number }>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = true;
  let first = true;
  let ioAtMs = Number.NEGATIVE_INFINITY;

  async function round(): Promise<void> {
    const startedAt = performance.now();
    await deps.relist();
    const load = await deps.load();
    const running = deps.running();
    const use = await deps.use(running);
    const atMs = performance.now();
    const list: InstanceSample[] = [];
    const next: typeof before = new Map();
    for (const instance of running) {
      const now = use.get(instance.id);
      if (now === undefined) continue;
      const old = before.get(instance.id);
      next.set(instance.id, { cpuSeconds: now.cpuSeconds, atMs });
      // A process that is new to us, or was replaced by another, has no rate yet.
      if (old === undefined || now.cpuSeconds < old.cpuSeconds) continue;
      const share = (now.cpuSeconds - old.cpuSeconds) / ((atMs - old.atMs) / 1_000) / Math.max(1, instance.vcpus);
      const cpuRatio = Math.min(1, share);
      list.push({ id: instance.id, cpuRatio, memoryUsedBytes: now.memoryUsedBytes, ...deps.io(instance.id) });
    }
    before = next;
    if (atMs - ioAtMs >= IO_EVERY_MS) {
      ioAtMs = atMs;
      deps.readIo();
    }
    if (load !== null && !stopped) deps.deliver(deps.now(), list, load);
    if (stopped) return;
    // One round gives no rates yet: the second one follows soon.
    const everyMs = first ? Math.min(1_000, config.everyMs) : config.everyMs;
    first = false;
    timer = setTimeout(() => void round(), Math.max(50, everyMs - (performance.now() - startedAt)));
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      void round();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
