import type { ComputeServer, NumberedEvent, Session } from '../../common/model/compute.ts';
import type { Host } from '../../common/model/host.ts';
import type { ManagerMessage } from '../../common/wire/link.ts';
import type { Bus } from '../bus/bus.ts';
import type { ComputeStore } from '../store/ports.ts';

export interface ComputeConfig {
  /** Live sessions of one person. */
  perOwner: number;
  /** Cells of one session that were sent and have not ended. */
  openCells: number;
  /** Ended sessions and their output are kept so long, and at most so many of them with so many bytes. */
  keepMs: number;
  keepSessions: number;
  keepBytes: number;
  /** A session that has brought more output than this in its life is ended. */
  sessionBytes: number;
  /** A session whose host was away for so long counts as dead. */
  hostGoneMs: number;
  /** Where a compute server names none. */
  idleMs: number;
  sweepMs: number;
  completeMs: number;
}

export const COMPUTE_DEFAULTS: ComputeConfig = {
  perOwner: 32,
  openCells: 100,
  keepMs: 24 * 3_600_000,
  keepSessions: 1_000,
  keepBytes: 1024 ** 3,
  sessionBytes: 256 * 1024 ** 2,
  hostGoneMs: 24 * 3_600_000,
  idleMs: 1_800_000,
  sweepMs: 1_000,
  completeMs: 3_000,
};

export interface ComputeInventory {
  hosts(): Pick<Host, 'id' | 'name' | 'state' | 'load'>[];
}

export interface ComputeLink {
  /** False when it surely did not leave. */
  send(hostId: string, message: ManagerMessage): boolean;
}

export interface ComputeLog {
  info(message: string, fields: Record<string, unknown>): unknown;
  warn(message: string, fields: Record<string, unknown>): unknown;
  error(message: string, fields: Record<string, unknown>): unknown;
}

export interface ComputeDeps {
  store: ComputeStore;
  inventory: ComputeInventory;
  link: ComputeLink;
  bus: Bus;
  log: ComputeLog;
  nowMs?: () => number;
  monotonicMs?: () => number;
}

/** Somebody who watches a session. */
export interface Viewer {
  /** False while it cannot take more; it calls `pump` of its attachment when it can again. */
  hasRoom(): boolean;
  send(events: NumberedEvent[], bytes: number): void;
}

export interface Attachment {
  session: Session;
  firstSeq: number;
  nextSeq: number;
  /** Sends what there is, as far as the viewer takes it. Called once to begin, and whenever there is room again. */
  pump(): void;
  detach(): void;
}

export interface OpenRequest {
  kernel: string;
  host?: string | undefined;
  title?: string | undefined;
  opId?: string | undefined;
  owner: string;
}

export interface RunRequest extends Omit<OpenRequest, 'title'> {
  code: string;
  timeoutMs: number;
  keep: boolean;
}

export interface RunAnswer {
  session: string;
  cell: number;
  status: 'ok' | 'error' | 'interrupted' | 'died' | 'running';
  elapsedMs: number;
  events: NumberedEvent[];
}

export type HostedServer = ComputeServer & { host: string; hostName: string; stale: boolean };

/** A piece of code for a session. `replaces` and `after` are numbers of its cells: where a notebook shows this one. */
export interface CellRequest {
  code: string;
  replaces?: number | undefined;
  after?: number | undefined;
  opId?: string | undefined;
  actor: string;
}
