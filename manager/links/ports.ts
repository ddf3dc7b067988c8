import type { AgentMessage, EpochCursor, FrameHeader, JobReport, ManagerMessage } from '../../common/wire/link.ts';
import type { AgentServiceMessage } from '../../common/wire/services.ts';

export interface LinksConfig {
  /** The manager asks for a sign of life this often. */
  pingEveryMs: number;
  /** Without any message for this long the link is closed and dialled again. */
  silenceMs: number;
  /** TCP, TLS and the upgrade together; then as long again for the hello. */
  handshakeMs: number;
  /** Wait before the second try; it doubles up to the longest one, with jitter. */
  firstRetryMs: number;
  longestRetryMs: number;
  /** Largest message an agent may send, bytes. */
  limitMessageBytes: number;
  /** So many bytes of one agent may be in work; beyond it nothing more is read from it. */
  limitUnsettledBytes: number;
  /** What may wait to be sent to one agent; an agent that reads nothing is dropped. */
  limitUnsentBytes: number;
  /** How often both sides of a conflict are asked whether they are still there. */
  conflictCheckMs: number;
}

export const LINKS_DEFAULTS: LinksConfig = {
  pingEveryMs: 3_000,
  silenceMs: 10_000,
  handshakeMs: 5_000,
  firstRetryMs: 200,
  longestRetryMs: 3_000,
  limitMessageBytes: 24 * 1024 ** 2,
  limitUnsettledBytes: 24 * 1024 ** 2,
  limitUnsentBytes: 4 * 1024 ** 2,
  conflictCheckMs: 10_000,
};

/** PEM texts: the manager's own key and certificate for agents, and the CA that signs agents. */
export interface LinkTls {
  key: string;
  cert: string;
  ca: string;
}

export interface LinkSender {
  agent: string;
  hostId: string;
  hostName: string;
}

export interface LinkFrame {
  header: FrameHeader;
  body: Uint8Array;
}

export type HelloMessage = Extract<AgentMessage, { t: 'hello' }>;
export type StateMessage = Extract<
  AgentMessage,
  { t: 'host' | 'instances' | 'instance' | 'instance-gone' | 'samples' }
>;

/** What links need of the rest of the manager. `onFrames` and `onHello` may take their time; nothing else may. */
export interface LinkHandlers {
  /** Answers where the agent must go on. Rejects when that is not known now: the link is then dialled again. */
  onHello(sender: LinkSender, hello: HelloMessage): Promise<{ cursors: EpochCursor[]; newEpoch: string | null }>;
  /** Resolves after the commit with what the agent must be told. */
  onFrames(sender: LinkSender, frames: LinkFrame[]): Promise<ManagerMessage[]>;
  /** The agent was told where to go on: commands may be sent. */
  onOpen(hostId: string): void;
  /** Any message at all. */
  onHeard(hostId: string): void;
  onState(hostId: string, message: StateMessage): void;
  onJobReport(hostId: string, report: JobReport): void;
  /** A message of a service that shares the link: see `services.ts`. */
  onService(hostId: string, message: AgentServiceMessage): void;
  onClosed(sender: LinkSender): void;
  onConflict(hostId: string, held: boolean): void;
  /** The host answers at another address than the recorded one, and no longer there. */
  onMoved(hostId: string, address: string, port: number): void;
}

export interface LinkHost {
  id: string;
  address: string;
  port: number;
  revokedMs: number | null;
}

/** The part of a winston logger that links write to. `source: 'audit'` moves to the line. */
export interface LinkLog {
  info(message: string, fields: Record<string, unknown>): unknown;
  warn(message: string, fields: Record<string, unknown>): unknown;
  error(message: string, fields: Record<string, unknown>): unknown;
}

export interface LinksDeps {
  hosts: { list(): LinkHost[]; get(id: string): LinkHost | null };
  tls: () => LinkTls;
  handlers: LinkHandlers;
  log: LinkLog;
}
