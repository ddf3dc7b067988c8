import type { LedgerEntry } from '../../../common/model/ledger.ts';
import type { Gap, Level, Line } from '../../../common/model/line.ts';
import type { LineColumns } from '../../../common/wire/frames.ts';
import type { EpochCursor } from '../../../common/wire/link.ts';

/** A batch of one (agent, epoch) on its way into the store. Either `columns` or `gap` is there. */
export interface LineBatch {
  agent: string;
  /** Host id of the lines: the agent's id, or '' for manager and crawler. */
  host: string;
  hostName: string;
  epoch: string;
  /** Number of the first line. A gap takes the numbers `gap.from..gap.to` and is stored as one line under `gap.from`. */
  first: number;
  count: number;
  /** Running hash behind this batch. */
  hash: string;
  receivedMs: number;
  /** The agent's clock minus the manager's when this came; absent: not known, taken as 0. */
  clockOffsetMs?: number;
  columns: LineColumns | null;
  gap: Gap | null;
}

/** What the store was given and has committed, for the live road. `ordinal` is the arrival number of its first line. */
export interface CommittedBatch extends LineBatch {
  ordinal: number;
}

export interface LineFilter {
  q?: string;
  /** Least severe level that matches. */
  level?: Level;
  host?: string;
  instance?: string;
  source?: string;
  job?: string;
  session?: string;
  /** On the time that lines are ordered by, see `sortMsOf`. `from` included, `to` excluded. */
  fromMs?: number;
  toMs?: number;
}

export interface LinePage {
  /** Newest first. */
  lines: Line[];
  /** Cursor of the next (older) page, or null at the end. */
  next: string | null;
  searchedBackToMs: number | null;
  /** Stored lines that could have matched, but cannot be read any more: the disk does not give them as they were written. */
  unreadable?: UnreadableLines[];
}

/** `fromMs..toMs` are the times of the oldest and the newest of them, or of what they were stored with. */
export interface UnreadableLines {
  lines: number;
  fromMs: number;
  toMs: number;
}

/**
 * Told beside an answer that has to do without some lines. The same block or file has the same name each time: the answers of
 * several calls can be put together.
 */
export type OnUnreadable = (lost: ReadonlyMap<string, UnreadableLines>) => void;

export interface SearchOptions {
  limit: number;
  cursor?: string;
  signal?: AbortSignal;
  onFound?(lines: Line[]): void;
  onLooked?(backToMs: number): void;
}

export interface HistogramBucket {
  fromMs: number;
  counts: Record<Level, number>;
}

/** What became of every number of one epoch, as the store has it: `next = lines + lost`, always. */
export type EpochLedger = Omit<LedgerEntry, 'duplicates' | 'waiting'>;

/** Which of the managers that share a store looks after what must happen once: the store decides, and no clock of theirs. */
export interface LeadRow {
  /** True when this owner has it for `ttlMs` from now on; false when another has. Rejects when that cannot be known. */
  hold(owner: string, ttlMs: number): Promise<boolean>;
  /** Gives it up, if this owner has it. */
  release(owner: string): Promise<void>;
}

/** What a store that several managers share can do beside. Each of them gives arrival numbers of its own, which grow. */
export interface SharedStore {
  /** Which of the managers gave an arrival number. */
  laneOf(ordinal: number): number;
  readonly lead: LeadRow;
  /**
   * As `LineStore.since`, after one number for each manager that was heard; of the others after `floor`, or the newest of all.
   * `positions` is where to go on.
   */
  since(
    filter: LineFilter,
    after: readonly number[],
    limit: number,
    signal?: AbortSignal,
    floor?: number,
  ): Promise<{ lines: Line[]; positions: number[] }>;
}

/** The room of a store that seals its lines in pieces: while that is behind, those who add much wait in it. */
export interface LineRoom {
  isFull(): boolean;
  /** Up to so many lines are taken at a time while it is full. */
  readonly limitLittleLines: number;
  /** Resolves when so many lines may be added. */
  wait(lines: number): Promise<void>;
}

/** Lines. A batch is durable when `append` resolves: its rows and its cursor are one transaction. */
export interface LineStore {
  append(batches: LineBatch[]): Promise<CommittedBatch[]>;
  cursors(agent: string): Promise<EpochCursor[]>;
  /** Hash that stands behind the batch which ended before `next`, if it is still known. */
  hashAt(agent: string, epoch: string, next: number): Promise<string | null>;
  /** Here and below: rejects with `op-cancelled` once `signal` is aborted, and looks no further. */
  query(filter: LineFilter, page: { limit: number; cursor?: string; signal?: AbortSignal }): Promise<LinePage>;
  /**
   * The same search in one go, as far back as the filter says: lines are told as they are found, newest first, and after
   * each window of time how far back it has been looked. Rejects with `op-cancelled` when `signal` is aborted: what was found has
   * been told.
   */
  search(filter: LineFilter, options: SearchOptions): Promise<LinePage>;
  /**
   * Lines that match. `onUnreadable`, here and below, is called before the answer when lines that could have matched cannot be
   * read any more; a store that has its own copies of them never calls it. What is counted by level alone may still have them in it.
   */
  count(filter: LineFilter, signal?: AbortSignal, onUnreadable?: OnUnreadable): Promise<number>;
  get(id: string): Promise<Line | null>;
  /** Lines around one line in arrival order of the whole stream or of its host alone, oldest first. */
  context(id: string, options: { before: number; after: number; sameHost: boolean }): Promise<Line[]>;
  histogram(
    filter: LineFilter,
    range: { fromMs: number; toMs: number; buckets: number },
    signal?: AbortSignal,
    onUnreadable?: OnUnreadable,
  ): Promise<HistogramBucket[]>;
  facets(
    filter: LineFilter,
    field: string,
    limit: number,
    signal?: AbortSignal,
    onUnreadable?: OnUnreadable,
  ): Promise<{ value: string; count: number }[]>;
  /** Arrival number of the newest committed line (0 when empty). */
  newestOrdinal(): number;
  /** Lines after an arrival number, oldest first, for a viewer that resumes. */
  since(
    filter: LineFilter,
    ordinal: number,
    limit: number,
    signal?: AbortSignal,
    onUnreadable?: OnUnreadable,
  ): Promise<{ lines: Line[]; lastOrdinal: number }>;
  readonly shared?: SharedStore | undefined;
  /** Absent where adding never has to wait for work that is behind. */
  readonly room?: LineRoom | undefined;
  /** Of all agents, or of one; the epoch that was heard last comes first. Outlives the lines themselves. */
  ledger(agent?: string): Promise<EpochLedger[]>;
  /**
   * Stores what a gap covers of a batch of lines, each number once however often it comes, and lowers the gap by it; the
   * cursor of the epoch stays. Answers what was stored: nothing, where nothing was missing.
   */
  fill(batch: LineBatch): Promise<CommittedBatch[]>;
  stats(): Promise<LineStats>;
}

/** What a store of lines says of itself. */
export interface LineStats {
  lines: number;
  bytesOnDisk: number;
  oldestMs: number | null;
  /** Lines that are not in sealed files yet; absent where nothing is sealed. */
  unsealedLines?: number;
  /** For how long adding lines was held up since the start, because sealing was behind. */
  heldBackMs?: number;
  /** Files with lines that are known to be unreadable; absent where such damage cannot be. */
  unreadable?: UnreadableFile[];
  /** Absent where nothing is read again by itself. */
  scrub?: ScrubState;
}

export interface UnreadableFile extends UnreadableLines {
  file: string;
}

/** How far the pass is in which all sealed lines are read again and compared with their checksums. */
export interface ScrubState {
  passStartedMs: number;
  /** Sealed lines there are, and those of them that this pass has read. */
  lines: number;
  checkedLines: number;
  /** When the last whole pass ended; null before the first one has. */
  lastPassMs: number | null;
}
