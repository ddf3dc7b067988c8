import { WebvirtError } from '../../common/errors.ts';
import type { ComputeServer } from '../../common/model/compute.ts';
import type { ComputeInventory, HostedServer } from './ports.ts';

/** The compute servers of the fleet as their agents last told of them, and which of them gets the next session. */
export interface Servers {
  list(): HostedServer[];
  /** As it was last told, also of a host that does not answer now. */
  of(hostId: string): ComputeServer | null;
  told(hostId: string, server: ComputeServer): void;
  /** The link told which sessions live there: the host takes new ones. */
  ready(hostId: string): void;
  gone(hostId: string): void;
  isReady(hostId: string): boolean;
  /**
   * The host for a new session: reachable, with this kernel and room for it, the one with a waiting child and the least
   * load first. Throws `not-found`, `host-unreachable`, `not-contained`, `no-kernel` or `no-capacity` with the reason.
   */
  choose(wish: { kernel: string; host?: string | undefined; not?: (hostId: string) => boolean }): {
    id: string;
    name: string;
  };
}

const UNTOLD: ComputeServer = {
  state: 'absent',
  reason: 'This host has not told anything of a compute server yet.',
  kernels: [],
  checks: [],
  limits: null,
  sessions: 0,
};

type FleetHost = ReturnType<ComputeInventory['hosts']>[number];
type Refusal = 'host-unreachable' | 'not-contained' | 'no-kernel' | 'no-capacity';
/** The nearer to a yes, the earlier: what most helps to understand why none was found. */
const NEAREST: readonly Refusal[] = ['no-capacity', 'not-contained', 'host-unreachable', 'no-kernel'];

export function createServers(deps: {
  inventory: ComputeInventory;
  /** Sessions that live on a host now. */
  sessionsOn(hostId: string): number;
}): Servers {
  const told = new Map<string, ComputeServer>();
  const ready = new Set<string>();

  function refusalOf(host: FleetHost, kernel: string): { code: Refusal; text: string } | null {
    const server = told.get(host.id);
    if (!ready.has(host.id)) return { code: 'host-unreachable', text: `Host ${host.name} does not answer now.` };
    const { state, reason, kernels, limits } = server ?? UNTOLD;
    if (state === 'refused')
      return { code: 'not-contained', text: `Host ${host.name} runs no computations: ${reason ?? 'not contained'}` };
    if (state !== 'ready') {
      const text = state === 'starting' ? 'its compute server is still starting' : (reason ?? 'no compute server');
      return { code: 'no-kernel', text: `Host ${host.name} offers no kernel now: ${text}` };
    }
    if (!kernels.some(({ name }) => name === kernel)) {
      const has = kernels.map(({ name }) => name).join(', ') || 'none';
      return { code: 'no-kernel', text: `Host ${host.name} has no kernel ${kernel}; it has: ${has}.` };
    }
    if (limits !== null && deps.sessionsOn(host.id) >= limits.sessions) {
      const text = `Host ${host.name} runs ${limits.sessions} sessions, which is its limit. End one, or try later.`;
      return { code: 'no-capacity', text };
    }
    return null;
  }

  /** Less is better. */
  function burdenOf(host: FleetHost, kernel: string): number {
    const { kernels, limits } = told.get(host.id) ?? UNTOLD;
    const waits = (kernels.find(({ name }) => name === kernel)?.pooled ?? 0) > 0;
    const share = deps.sessionsOn(host.id) / (limits?.sessions ?? 1);
    return (waits ? 0 : 10) + share + (host.load?.cpuRatio ?? 0) / 10;
  }

  return {
    list: () =>
      deps.inventory.hosts().map((host) => ({
        host: host.id,
        hostName: host.name,
        stale: !ready.has(host.id),
        ...(told.get(host.id) ?? UNTOLD),
      })),
    of: (hostId) => told.get(hostId) ?? null,
    told: (hostId, server) => void told.set(hostId, server),
    ready: (hostId) => void ready.add(hostId),
    gone: (hostId) => void ready.delete(hostId),
    isReady: (hostId) => ready.has(hostId),
    choose({ kernel, host: wished, not }) {
      const all = deps.inventory.hosts();
      const hosts = wished === undefined ? all : all.filter(({ id, name }) => id === wished || name === wished);
      if (wished !== undefined && hosts.length === 0)
        throw new WebvirtError('not-found', `There is no host ${wished}.`);
      if (hosts.length > 1 && wished !== undefined)
        throw new WebvirtError('ambiguous', `${hosts.length} hosts are named ${wished}; use the id.`);
      const refusals = new Map<Refusal, string[]>();
      const able: FleetHost[] = [];
      for (const host of hosts) {
        if (not?.(host.id) === true) continue;
        const refusal = refusalOf(host, kernel);
        if (refusal === null) able.push(host);
        else refusals.set(refusal.code, [...(refusals.get(refusal.code) ?? []), refusal.text]);
      }
      const best = able
        .map((host) => ({ host, burden: burdenOf(host, kernel) }))
        .sort((a, b) => a.burden - b.burden || a.host.name.localeCompare(b.host.name))[0];
      if (best !== undefined) return { id: best.host.id, name: best.host.name };
      const code = NEAREST.find((one) => refusals.has(one)) ?? 'no-kernel';
      const texts = refusals.get(code) ?? ['No host is enrolled that could compute.'];
      const more = texts.length > 3 ? ` And ${texts.length - 3} more hosts.` : '';
      throw new WebvirtError(code, texts.slice(0, 3).join(' ') + more, { kernel });
    },
  };
}
