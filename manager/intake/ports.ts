import type { FrameHeader, ManagerMessage } from '../../common/wire/link.ts';

/** Who sends, as the connection's certificate proves it; nothing of this is ever read from a message. */
export interface Sender {
  /** Id of the agent; `crawler` for the crawler. */
  agent: string;
  /** Host id of its lines; '' for the crawler. */
  hostId: string;
  hostName: string;
}

export interface IncomingFrame {
  header: FrameHeader;
  body: Uint8Array;
}

export type IntakeAnswer = Extract<ManagerMessage, { t: 'ack' | 'nack' | 'new-epoch' }>;

/** The part of a winston logger that intake writes to. `source: 'audit'` moves to the line. */
export interface IntakeLog {
  info(message: string, fields: Record<string, unknown>): unknown;
  warn(message: string, fields: Record<string, unknown>): unknown;
  error(message: string, fields: Record<string, unknown>): unknown;
}

/** Named points of the road; tests end the process there. M2 and M3 are inside the store. */
export type IntakeFailpoint = (name: 'M1' | 'M4' | 'M5' | 'M10') => void;

/** What happened so far, for the metrics page. */
export interface IntakeCounters {
  lines: number;
  batches: number;
  commits: number;
  replays: number;
  refused: number;
  quarantined: number;
  gaps: number;
  nacks: number;
  storeErrors: number;
}
