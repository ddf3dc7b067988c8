import { existsSync } from 'node:fs';
import type { HostFacts } from '../../common/model/host.ts';
import type { AgentInstance, InstanceSample } from '../../common/model/instance.ts';
import type { HostResources } from '../../common/model/resources.ts';
import type { AgentServiceMessage } from '../../common/wire/services.ts';
import type { Logger } from '../../logging/logger.ts';
import { createClones } from './clones.ts';
import { createImages, type Images, imageFault, presentImage } from './images.ts';
import { availableMemoryBytes } from './memory.ts';
import { readNetworks } from './networks.ts';
import { createPools, type Pools } from './pools.ts';

export interface ResourcesConfig {
  /** Absolute folder by name of the pool. */
  pools: Readonly<Record<string, string>>;
  /** File of the registry of base images. */
  imagesPath: string;
  /** `kvm` only where a guest is known to start with it. */
  domainType: 'kvm' | 'qemu';
  everyMs?: number;
  /** How often what is dearer is read: networks, and which disks are clones of which. */
  slowEveryMs?: number;
  procDir?: string;
}

/** What resources need of the hypervisor. */
export interface ResourcesHypervisor {
  facts(): HostFacts;
  instances(): AgentInstance[];
  /** Runs virsh with known words that name no instance; null when it failed. */
  readHost(words: readonly string[], options: { deadlineMs: number }): Promise<string | null>;
  on(handler: (event: { t: string; list?: InstanceSample[] }) => void): () => void;
}

/** What this host has for instances. */
export interface Resources {
  pools: Pools;
  images: Images;
  clones: ReturnType<typeof createClones>;
  start(): Promise<void>;
  stop(): void;
  /** Reads what can be read in a moment (pools, images, memory); the rest is as last read. */
  read(): Promise<HostResources>;
  /** Something was made or removed: reads everything again and tells it. */
  changed(): Promise<void>;
  /** The link's part: sends them at attach and whenever they differ. */
  service: {
    takes: readonly [];
    attach(send: (message: AgentServiceMessage) => void): { take(): void; detach(): void };
  };
}

export function createResources(
  config: ResourcesConfig,
  deps: { hypervisor: ResourcesHypervisor; log: Pick<Logger, 'warn' | 'error'> },
): Resources {
  const { hypervisor, log } = deps;
  const pools = createPools(config.pools);
  const images = createImages(config.imagesPath);
  const clones = createClones();
  const used = new Map<string, number>();
  const senders = new Set<(message: AgentServiceMessage) => void>();
  let networks: HostResources['networks'] = [];
  let cpuModel: string | undefined;
  let arch: string | undefined;
  let counts = new Map<string, number>();
  let last = '';
  let current: HostResources | null = null;
  let timers: NodeJS.Timeout[] = [];
  let off: () => void = () => undefined;
  let telling: Promise<void> = Promise.resolve();
  /** The reading that has not begun. */
  let next: { slow: boolean } | null = null;

  async function readSlow(): Promise<void> {
    counts = await clones.count(await pools.folders());
    if (hypervisor.facts().hypervisor.driver === 'none' || !hypervisor.facts().libvirtAnswers) return;
    networks = await readNetworks((words) => hypervisor.readHost(words, { deadlineMs: 10_000 }));
    if (arch !== undefined) return;
    // A libvirtd that was just started looks at every QEMU first.
    const capabilities = (await hypervisor.readHost(['capabilities'], { deadlineMs: 30_000 })) ?? '';
    const cpu = /<host>[\s\S]*?<cpu>([\s\S]*?)<\/cpu>/.exec(capabilities)?.[1] ?? '';
    arch = /<arch>([A-Za-z0-9_-]{1,64})<\/arch>/.exec(cpu)?.[1];
    cpuModel = /<model>([^<]{1,255})<\/model>/.exec(cpu)?.[1];
  }

  async function read(): Promise<HostResources> {
    const [poolList, faults, memoryAvailableBytes] = await Promise.all([
      pools.read(),
      Promise.all(images.list().map(imageFault)),
      availableMemoryBytes(config.procDir ?? '/proc', hypervisor.instances(), used),
    ]);
    const runs = hypervisor.facts().hypervisor.driver === 'qemu';
    const kvm = config.domainType === 'kvm' && existsSync('/dev/kvm');
    return {
      pools: poolList,
      images: images.list().map((image, at) => ({
        ...presentImage(image),
        clones: counts.get(image.path) ?? 0,
        ...(faults[at] == null ? {} : { fault: faults[at] }),
      })),
      networks,
      domainType: runs ? (kvm ? 'kvm' : 'qemu') : null,
      ...(cpuModel === undefined ? {} : { cpuModel }),
      ...(arch === undefined ? {} : { arch }),
      memoryAvailableBytes,
    };
  }

  /** One at a time: an older reading never follows a newer one. One waits at most, however long a pool hangs. */
  function tell(slow: boolean): Promise<void> {
    if (next !== null) {
      next.slow ||= slow;
      return telling;
    }
    const mine = { slow };
    next = mine;
    telling = telling.then(async () => {
      next = null;
      try {
        if (mine.slow) await readSlow();
        current = await read();
        const text = JSON.stringify(current);
        if (text === last) return;
        last = text;
        for (const send of senders) send({ t: 'resources', resources: current });
      } catch (error) {
        log.error('The resources of this host could not be read', { reason: String(error) });
      }
    });
    return telling;
  }

  return {
    ...{ pools, images, clones, read },
    async start() {
      await images.load();
      for (const { name, path, fault } of await pools.read())
        if (fault !== undefined) log.warn('A pool cannot be used', { pool: name, path, reason: fault });
      if (config.domainType === 'kvm' && !existsSync('/dev/kvm'))
        log.warn('The configuration says kvm, but there is no /dev/kvm; guests are emulated', {});
      off = hypervisor.on((event) => {
        if (event.t === 'host') void tell(networks.length === 0);
        if (event.t !== 'samples') return;
        used.clear();
        for (const { id, memoryUsedBytes } of event.list ?? []) used.set(id, memoryUsedBytes);
      });
      timers = [
        setInterval(() => void tell(false), config.everyMs ?? 5_000),
        setInterval(() => void tell(true), config.slowEveryMs ?? 60_000),
      ];
      void tell(true);
    },
    stop() {
      off();
      for (const timer of timers.splice(0)) clearInterval(timer);
    },
    changed: () => tell(true),
    service: {
      takes: [],
      attach(send) {
        senders.add(send);
        if (current !== null) send({ t: 'resources', resources: current });
        return { take: () => undefined, detach: () => void senders.delete(send) };
      },
    },
  };
}
