import { type HostResources, hostResourcesSchema } from '../../common/model/resources.ts';
import type { AgentServiceMessage } from '../../common/wire/services.ts';
import type { Bus } from '../bus/bus.ts';
import type { SettingStore } from '../store/ports.ts';

/** What each host last said that it has for instances; kept over a restart, so that it is shown with its age. */
export interface KnownResources {
  kinds: readonly ['resources'];
  take(hostId: string, message: AgentServiceMessage): void;
  /** Null for a host that never said. */
  of(hostId: string): { resources: HostResources; receivedMs: number } | null;
  /** Writes what is only in memory. */
  stop(): void;
}

/** Free bytes change all the time and are told again by the agent: they are not worth a synced write each. */
const KEEP_EVERY_MS = 60_000;

export function createKnownResources(deps: {
  settings: SettingStore;
  bus: Pick<Bus, 'emit'>;
  log: { warn(message: string, fields: Record<string, unknown>): unknown };
  nowMs?: () => number;
}): KnownResources {
  const { settings, bus, log } = deps;
  const nowMs = deps.nowMs ?? Date.now;
  const known = new Map<string, { resources: HostResources; receivedMs: number } | null>();
  const kept = new Map<string, { lasting: string; atMs: number }>();
  const waiting = new Set<string>();

  function keep(hostId: string): void {
    const now = known.get(hostId);
    if (now === null || now === undefined) return;
    try {
      settings.put(`resources:${hostId}`, JSON.stringify(now));
      kept.set(hostId, { lasting: lasting(now.resources), atMs: nowMs() });
      waiting.delete(hostId);
    } catch (error) {
      waiting.add(hostId);
      log.warn('The resources of a host could not be kept', { host: hostId, reason: String(error) });
    }
  }

  function read(hostId: string) {
    try {
      const stored = JSON.parse(settings.get(`resources:${hostId}`) ?? 'null');
      const resources = hostResourcesSchema.safeParse(stored?.resources);
      return resources.success ? { resources: resources.data, receivedMs: Number(stored.receivedMs) || 0 } : null;
    } catch {
      return null;
    }
  }

  return {
    kinds: ['resources'],
    take(hostId, message) {
      if (message.t !== 'resources') return;
      known.set(hostId, { resources: message.resources, receivedMs: nowMs() });
      const before = kept.get(hostId);
      if (
        before === undefined ||
        before.lasting !== lasting(message.resources) ||
        nowMs() - before.atMs >= KEEP_EVERY_MS
      )
        keep(hostId);
      else waiting.add(hostId);
      bus.emit('resources', { host: hostId });
    },
    of(hostId) {
      if (!known.has(hostId)) known.set(hostId, read(hostId));
      return known.get(hostId) ?? null;
    },
    stop() {
      for (const hostId of [...waiting]) keep(hostId);
    },
  };
}

/** What of it does not change by itself. */
function lasting({ memoryAvailableBytes: _memory, pools, images, ...rest }: HostResources): string {
  return JSON.stringify({
    ...rest,
    pools: pools.map(({ freeBytes: _free, ...pool }) => pool),
    images: images.map(({ fileBytes: _file, clones: _clones, ...image }) => image),
  });
}
