import type { Host } from '../../common/model/host.ts';
import type { Instance } from '../../common/model/instance.ts';
import type { Placement } from '../../common/model/job.ts';
import type { ManagerMessage } from '../../common/wire/link.ts';

/** What commands need of the inventory: the last known state and the mark "held by this job". */
export interface CommandInventory {
  host(id: string): Host | null | undefined;
  instance(id: string): Instance | null | undefined;
  setBusy(instanceId: string, jobId: string | null): void;
}

/** The links to the agents. `send` is false when the message surely did not leave. */
export interface CommandLink {
  send(hostId: string, message: ManagerMessage): boolean;
  connected(hostId: string): boolean;
}

/** The part of a winston logger that commands write to. `job` and `instance` become parts of the line itself. */
export interface CommandLog {
  info(message: string, fields: Record<string, unknown>): unknown;
  warn(message: string, fields: Record<string, unknown>): unknown;
  error(message: string, fields: Record<string, unknown>): unknown;
}

export interface DispatchRequest {
  verb: string;
  /** UUID; the host is then the one the instance is on. */
  instance: string | null;
  /** The instance is to be made by this operation, under this name; `host` says where. */
  creates?: { name: string };
  /** Why the host was chosen; kept in the job and no part of what makes two calls the same. */
  placement?: Placement;
  /** The other host of a migration. */
  target?: { id: string; name: string };
  /** For operations of a host itself. */
  host?: string | null;
  args: Record<string, unknown>;
  /** The caller's id of the operation; one is made when absent, and then a retry is another operation. */
  opId?: string | undefined;
  /** Who asks: an e-mail address or the name of a token. */
  actor: string;
}
