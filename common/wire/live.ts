import type { NumberedEvent, Session } from '../model/compute.ts';
import type { Finding, Scan, ScanKind } from '../model/discovery.ts';
import type { Line } from '../model/line.ts';
import type { Envelope } from './envelope.ts';
import type { EpochRange, FrameHeader } from './link.ts';

/** One operation of RFC 6902; the manager sends only these three. */
export type PatchOperation =
  | { op: 'add'; path: string; value: unknown }
  | { op: 'replace'; path: string; value: unknown }
  | { op: 'remove'; path: string };

export interface TailRequest {
  /** Chosen by the client; names the tail in every later event. */
  id: string;
  q?: string;
  /** Least severe level that is sent; absent: all. */
  level?: string;
  host?: string;
  instance?: string;
  source?: string;
  job?: string;
  session?: string;
  /** How many old lines come first, newest last. At most 5,000. */
  backlog?: number;
  /** Resume after this position instead of a backlog, where it is still known; see `LinesBatch.position`. */
  after?: string;
}

/** Lines in arrival order, oldest first. `skipped` were dropped for this viewer because it is slow; they are stored. */
export interface LinesBatch {
  id: string;
  lines: Line[];
  skipped: number;
  /** Position behind the last line (or the last skipped one): what `after` takes. */
  position: string;
  /** True for the backlog that answers `logs:tail`. */
  backlog?: boolean;
}

export interface SearchRequest extends Omit<TailRequest, 'backlog' | 'after'> {
  /** Milliseconds since 1970: `from` included, `to` excluded. */
  from?: number;
  to?: number;
  /** `next` of an earlier search: goes on behind it. */
  cursor?: string;
  /** Most matches; 500 when absent, at most 5,000. */
  limit?: number;
}

/** Matches of a search, newest first, as they are found. */
export interface LinesFound {
  id: string;
  lines: Line[];
  /** All matches down to here have been told; null: not known yet, or (with `done`) down to the oldest line. */
  searchedBackToMs: number | null;
  /** Nothing more comes of this search. */
  done: boolean;
  /** With `done`: where the next search goes on; null at the end. */
  next: string | null;
  /** With `done`: stored lines of these times that could have matched, but cannot be read any more. */
  unreadable?: { lines: number; fromMs: number; toMs: number }[];
  /** With `done`: why it ended before its end. */
  error?: { code: string; message: string };
}

export type Ack<T> = (answer: Envelope<T>) => void;

/** Events a browser, the command line and other clients may send. */
export interface ClientEvents {
  subscribe: (request: { uri: string }, ack: Ack<{ version: number; body: unknown }>) => void;
  unsubscribe: (request: { uri: string }, ack?: Ack<null>) => void;
  'logs:tail': (request: TailRequest, ack: Ack<{ position: string }>) => void;
  'logs:untail': (request: { id: string }, ack?: Ack<null>) => void;
  /** Searches the stored lines; the matches come as `logs:found`. One search for each id: the last one asked for. */
  'logs:search': (request: SearchRequest, ack: Ack<null>) => void;
  /** Ends a search: nothing more of it comes. */
  'logs:cancel': (request: { id: string }, ack?: Ack<null>) => void;
  /**
   * Watches a session from its event number `from` on; what is kept of it comes first. Attached again under the same
   * session, it replaces the one before. Any number of clients may watch one session.
   */
  'compute:attach': (
    request: { session: string; from: number },
    ack: Ack<{ session: Session; firstSeq: number; nextSeq: number }>,
  ) => void;
  'compute:detach': (request: { session: string }, ack?: Ack<null>) => void;
  'compute:complete': (
    request: { session: string; code: string; cursor: number },
    ack: Ack<{ matches: string[]; start: number; end: number }>,
  ) => void;
  /**
   * Opens the serial console of an instance; all who have it open see the same. `write` false: only looks. `force` takes
   * it from somebody who has it open on the host. `recent`: the last bytes, base64. `write` in the answer: whether keys
   * are taken. What comes, comes as `console:data` and `console:state`.
   */
  'console:open': (
    request: { instance: string; write: boolean; force?: boolean },
    ack: Ack<{ console: string; recent: string; write: boolean }>,
  ) => void;
  /** Keys, as UTF-8 text. */
  'console:input': (request: { console: string; data: string }, ack: Ack<null>) => void;
  'console:close': (request: { console: string }, ack?: Ack<null>) => void;
  /**
   * Service role only (the crawler). `epochs`: what its spool holds, oldest first. `newEpoch` not null: its numbers went
   * back, and it must begin a new epoch, because of this.
   */
  'crawler:ready': (
    request: { version: string; ranges: string[]; epochs?: EpochRange[] },
    ack: Ack<{ cursors: { epoch: string; next: number; hash: string }[]; newEpoch?: string | null }>,
  ) => void;
  'crawler:scan': (scan: Scan, ack?: Ack<null>) => void;
  'crawler:findings': (findings: { scanId: string; list: Finding[] }, ack?: Ack<null>) => void;
  /** Addresses of a finished scan that no longer answer as agents did. */
  'crawler:vanished': (request: { scanId: string; list: { address: string; port: number }[] }, ack?: Ack<null>) => void;
  'crawler:lines': (
    request: { header: FrameHeader; body: Uint8Array },
    ack: Ack<{ next: number; newEpoch?: string }>,
  ) => void;
}

export interface ServerEvents {
  change: (change: { uri: string; version: number; patch: PatchOperation[] }) => void;
  'logs:lines': (batch: LinesBatch) => void;
  'logs:found': (found: LinesFound) => void;
  /** Events of a session in order, without a hole; a viewer that falls behind reads on from the store by itself. */
  'compute:output': (batch: { session: string; events: NumberedEvent[] }) => void;
  /** Bytes of a serial console, base64. `skipped` bytes were dropped for this viewer because it is slow. */
  'console:data': (chunk: { console: string; data: string; skipped: number }) => void;
  /**
   * `ended` null: the console is connected (again), on this host. Else why it is not; `code` is `busy` when somebody has it
   * open on the host. It is tried again by itself.
   */
  'console:state': (state: {
    console: string;
    host: string;
    hostName: string;
    ended: string | null;
    code?: string;
  }) => void;
  /** The session ended (sign-out, revocation): the socket is closed next. */
  'signed-out': (reason: { code: string }) => void;
  /** Sent to the crawler only. */
  'crawler:run': (request: { scanId: string; kind: ScanKind; range: string; actor: string }) => void;
  'crawler:known': (request: { list: { address: string; port: number; id: string }[] }) => void;
}
