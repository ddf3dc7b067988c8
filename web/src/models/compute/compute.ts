import type { Session } from '../../../../common/model/compute.ts';
import type { Cell } from './cell.ts';
import type { Draft, Notebook } from './notebook.ts';
import type { Servers, Sessions } from './sessions.ts';

export interface Completion {
  matches: string[];
  /** The part of the code that a match takes the place of. */
  start: number;
  end: number;
}

/** What pages may do with computations. Calls reject with an error that has `code` and `message`. */
export interface Compute {
  sessions: Sessions;
  servers: Servers;
  /** Keeps both lists in step until closed. */
  watch(): { close(): void };
  /** Watches a session: what it has brought, then what it brings. Drafts are kept in this browser tab. */
  open(session: string): { notebook: Notebook; close(): void };
  /** Starts a session; without a host on the least loaded one. `drafts` stand in its notebook from the beginning. */
  start(request: { kernel: string; host?: string; title?: string }, drafts?: Draft[]): Promise<Session>;
  /** Runs a cell; what it brings comes as events. A refusal is told at the cell. */
  run(notebook: Notebook, cell: Cell): Promise<void>;
  /** Interrupts what runs; what waits behind it is dropped. A refusal is told as a notice. */
  interrupt(session: string): Promise<void>;
  stop(session: string): Promise<void>;
  complete(session: string, code: string, cursor: number): Promise<Completion>;
  /** Everything that a run has written, as it is kept, without pictures. */
  written(session: string, cell: number): Promise<string>;
}
