import type { NewLine, Source } from '../../common/model/line.ts';
import type { EpochRange, FrameHeader } from '../../common/wire/link.ts';
import type { Failpoint } from '../failpoint.ts';
import type { Places } from './places.ts';

/** One frame as it rests and travels. `body` is the UTF-8 JSON text of its `LineColumns`; empty for a gap. */
export interface Frame {
  header: FrameHeader;
  body: Uint8Array;
}

export interface SpoolConfig {
  /** The SQLite file; its folder is made when it is missing. */
  path: string;
  /** Most bytes of lines that wait; the oldest make room for new ones and leave a gap. */
  capBytes: number;
  /** Most lines that wait. */
  capLines?: number;
  /** Most lines of one frame; 2,000 when absent. */
  batchMaxLines?: number;
  /** Source of the spool's own lines; `agent` when absent. */
  source?: Source;
  /** The file never grows beyond this: SQLite then answers as if the disk were full. Absent: no such limit. */
  maxFileBytes?: number;
  /** Wall clock, milliseconds. */
  now(): number;
}

export interface SpoolHooks {
  failpoint?: Failpoint;
  /** Told when lines cannot be written (disk full, I/O error) and they wait in memory; called at each failed try. */
  onTrouble?(error: Error): void;
}

/** Where to read on. `hash` is the running hash before `from`; it names the start of a gap that must be cut. */
export interface ReadFrom {
  epoch: string;
  from: number;
  hash?: string;
}

/**
 * What became of an ack: `ok`; `unknown` epoch (nothing to free); `fork`: the store has numbers of this epoch that this
 * spool did not write (it was restored from a snapshot), and a new epoch must begin.
 */
export type AckResult = 'ok' | 'unknown' | 'fork';

/** The durable queue of lines between a program and the store. One process, one spool. */
export interface Spool {
  /**
   * Takes a line. It is on disk about a millisecond later (`onSpooled` tells); under load many share one commit. When
   * the caller outruns the disk, this call waits for the disk. Never throws. With `place`, where its source stands behind
   * this line is made durable with it, neither without the other.
   */
  append(line: NewLine, place?: { name: string; value: string }): void;
  /** Where sources stand; set through here when no line goes with it. */
  places: Places;
  /** Bytes that were taken and are not on disk: what can be read again later is better left where it is while this is high. */
  unwrittenBytes(): number;
  /** Oldest first, the current one last. At most 64. */
  epochs(): EpochRange[];
  /**
   * Frames of one epoch from a number on, without a hole: at least one when there is any, else about `maxBytes` of
   * them. What was trimmed before, or acked and not kept, comes as a gap.
   */
  read(at: ReadFrom, maxBytes: number): Frame[];
  /** Frames with lines of these numbers (both included), whole, that are still here; acked ones are kept for a while. */
  find(at: { epoch: string; from: number; to: number }, maxBytes: number): Frame[];
  /** The store has committed everything before `next`: it may be freed. Takes effect with the next commit. */
  acked(epoch: string, next: number, hash: string): AckResult;
  /** Calls back with the frames of each commit, in order, right after it. Returns the unsubscribe function. */
  onSpooled(handler: (frames: Frame[]) => void): () => void;
  /** Starts a new epoch. With `carry`, what still waits of that epoch is numbered anew in the new one. */
  newEpoch(reason: string, carry?: string): void;
  /** What waits for an ack: lines, and bytes of bodies and bookkeeping. Gaps are not lines. */
  waiting(): { lines: number; bytes: number };
  /** Commits what was taken, now. */
  flush(): void;
  /** Commits, and closes the file. Lines given afterwards are dropped. */
  close(): void;
}
