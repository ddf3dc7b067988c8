import type { Death, NumberedEvent } from '../../../common/model/compute.ts';

/** A computation session as it is kept. What its host tells of it now (is it reachable, what does it use) is not. */
export interface StoredComputation {
  id: string;
  kernel: string;
  title: string;
  host: string;
  hostName: string;
  owner: string;
  createdMs: number;
  endedMs: number | null;
  /** Its host said that it is open. */
  opened: boolean;
  cells: number;
  runningCell: number | null;
  /** Cells that were sent and have not ended. */
  openCells: number[];
  nextSeq: number;
  /** Number of the next event of its agent: what comes below it was stored before. */
  nextN: number;
  outputBytes: number;
  /** It is to be ended for this reason as soon as its host can be told. */
  ending: string | null;
  /** It is ended when this cell has ended. */
  lastCell: number | null;
  death: Death | null;
  /** What a call with the same opId must equal. */
  argsHash: string;
}

export interface StoredCell {
  session: string;
  cell: number;
  opId: string;
  hash: string;
}

export interface ComputationWrite {
  /** Whole, as they are after these events. */
  sessions: StoredComputation[];
  events: { session: string; list: NumberedEvent[] }[];
  cells: StoredCell[];
}

/**
 * Computation sessions and all that happened in them. `write` is one transaction that a killed process does not lose and
 * a power cut may; `sync` resolves when everything written before it is on the disk.
 */
export interface ComputeStore {
  /** Newest first. */
  sessions(): StoredComputation[];
  write(write: ComputationWrite): void;
  sync(): Promise<void>;
  /** In order from number `from` on: at most so many, about so many bytes and at least one. */
  events(session: string, from: number, limit: number, limitBytes: number): NumberedEvent[];
  /** Code of the cells after this one. */
  inputs(session: string, afterCell: number): { cell: number; code: string }[];
  cellByOpId(session: string, opId: string): StoredCell | null;
  remove(sessions: readonly string[]): void;
}
