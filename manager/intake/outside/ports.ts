import type { NewLine } from '../../../common/model/line.ts';

/** The ways by which lines of programs outside come in. */
export const WAYS = ['http', 'otlp', 'loki', 'syslog-udp', 'syslog-tcp', 'syslog-tls'] as const;
export type Way = (typeof WAYS)[number];

/** Who sends: proved by a credential, or known by address alone. Nothing of this is read from what is sent. */
export interface OutsideSender {
  way: Way;
  /** Id of the credential, or the address: limits and counts are kept for each. */
  id: string;
  /** For people: owner of the credential, or the address. */
  name: string;
}

export interface ReasonCount {
  reason: string;
  count: number;
}

/** What one sender, or one way in, did since the start of the manager. Numbers of lines, but `sentBack`. */
export interface OutsideTally {
  taken: number;
  refused: ReasonCount[];
  dropped: ReasonCount[];
  /** Requests that were answered "too many": their lines are still with the sender. */
  sentBack: number;
  lastSeenMs: number | null;
}

export interface WayReport extends OutsideTally {
  way: Way;
  /** Where it listens; null: it is off. The ways over HTTP are always on, at the manager's own port. */
  listens: string | null;
  /** The ones heard last first. */
  senders: (OutsideTally & { id: string; name: string })[];
}

/** The door for lines from outside: counts, limits, and hands them on so that no sender holds up another. */
export interface OutsideDoor {
  /** Throws `too-many-requests` while this sender is over its rate: nothing is lost, it sends again. */
  admit(sender: OutsideSender): void;
  /** Resolves when the lines are stored. Rejects with `store-unavailable`, or `too-many-requests`. */
  store(sender: OutsideSender, lines: readonly NewLine[]): Promise<void>;
  /** Lines that cannot be taken: `reason` is constant text. */
  refused(sender: OutsideSender, reason: string, count?: number): void;
  /** Takes a line that nobody would send again. False when it was dropped; a gap record tells of it. */
  offer(sender: OutsideSender, line: NewLine): boolean;
  /** Lines that were lost before they could be read. */
  dropped(sender: OutsideSender, reason: string, count: number): void;
  /** How long a sender that can be held up is to wait before more is read of it. Milliseconds; 0: not at all. */
  pauseMs(sender: OutsideSender): number;
}
