import Backbone from 'backbone';
import type { ComputeServer, Session } from '../../../../common/model/compute.ts';
import { byName } from '../by-name.ts';

/** The compute server of a host, as the list of the API tells it. */
export interface ServerRow extends ComputeServer {
  host: string;
  hostName: string;
  /** True while the host does not answer: this is what was last known. */
  stale: boolean;
}

export class ServerModel extends Backbone.Model<ServerRow> {
  override preinitialize(): void {
    this.idAttribute = 'host';
  }

  /** True when a session can be started there now. */
  ready(): boolean {
    return this.get('state') === 'ready' && this.get('stale') !== true;
  }

  /** Sessions that still fit; null where no limit is told. */
  free(): number | null {
    const limits = this.get('limits');
    return limits ? Math.max(0, limits.sessions - (this.get('sessions') ?? 0)) : null;
  }
}

export class Servers extends Backbone.Collection<ServerModel> {
  override preinitialize(): void {
    this.model = ServerModel;
    this.comparator = (a: ServerModel, b: ServerModel) => byName(a.get('hostName')!, b.get('hostName')!);
  }

  override modelId(attributes: Partial<ServerRow>): string {
    return String(attributes.host);
  }

  /** Every kernel that is offered anywhere, with the hosts that offer it now. Sage first: it can do what Python can. */
  kernels(): KernelOffer[] {
    const offers = new Map<string, KernelOffer>();
    for (const server of this.models) {
      for (const kernel of server.get('kernels') ?? []) {
        const offer = offers.get(kernel.name) ?? { name: kernel.name, title: kernel.title, hosts: [], pooled: 0 };
        offers.set(kernel.name, offer);
        if (!server.ready() || server.free() === 0) continue;
        offer.hosts.push({ id: server.get('host')!, name: server.get('hostName')!, pooled: kernel.pooled });
        offer.pooled += kernel.pooled;
        offer.title = kernel.title;
      }
    }
    const rank = (offer: KernelOffer) => (offer.name === 'sage' ? 0 : offer.name === 'python' ? 1 : 2);
    return [...offers.values()].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  }
}

export interface KernelOffer {
  name: string;
  title: string;
  /** Hosts where one can be started now. */
  hosts: { id: string; name: string; pooled: number }[];
  /** Children that wait, forked already: that many sessions begin at once. */
  pooled: number;
}

const REST_MS = 2_500;

export class SessionModel extends Backbone.Model<Session> {
  /** Share of one CPU between the last two reports; null before there are two. */
  declare cpuRatio: number | null;
  declare lastUse: { cpuMs: number; atMs: number } | null;

  override initialize(): void {
    this.cpuRatio = null;
    this.lastUse = null;
    this.noteUse();
    // Memory and CPU time are reported together; either may be the one that changed.
    this.on('change:cpuMs change:memoryBytes', () => this.noteUse());
  }

  noteUse(): void {
    const cpuMs = this.get('cpuMs');
    if (cpuMs === null || cpuMs === undefined) return;
    const atMs = performance.now();
    // Two reports in one moment (the answer to a question, and its change) are one measurement.
    if (this.lastUse !== null && atMs - this.lastUse.atMs > 200)
      this.cpuRatio = Math.max(0, (cpuMs - this.lastUse.cpuMs) / (atMs - this.lastUse.atMs));
    this.lastUse = { cpuMs, atMs };
  }

  /** Share of one CPU now. A use that does not change is not told again: after a while it means rest. */
  cpuNow(): number | null {
    if (this.cpuRatio === null || this.lastUse === null) return null;
    return performance.now() - this.lastUse.atMs > REST_MS ? 0 : this.cpuRatio;
  }

  ended(): boolean {
    return this.get('state') === 'dead';
  }
}

export class Sessions extends Backbone.Collection<SessionModel> {
  override preinitialize(): void {
    this.model = SessionModel;
    this.comparator = (a: SessionModel, b: SessionModel) => b.get('createdMs')! - a.get('createdMs')!;
  }

  living(): SessionModel[] {
    return this.filter((session) => !session.ended());
  }

  dead(): SessionModel[] {
    return this.filter((session) => session.ended());
  }
}
