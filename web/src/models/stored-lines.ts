import type { KeepMark } from '../../../common/model/search.ts';
import type { LogParams } from './log-filter.ts';
import type { Unreadable } from './unreadable.ts';

export interface KeepDraft {
  fromMs: number;
  toMs: number;
  note: string;
}

export interface Counted {
  count: number;
  unreadable?: readonly Unreadable[];
}

/** What the store says of itself. */
export interface StoreState {
  lines: number;
  bytesOnDisk: number;
  /** Absent where the store has no files of its own. */
  unreadable?: readonly (Unreadable & { file: string })[];
  scrub?: { passStartedMs: number; lines: number; checkedLines: number; lastPassMs: number | null };
}

/** Calls about stored lines beside searching them. All reject with the manager's own words. */
export interface StoredLines {
  /** How many lines a filter has in its range, and what of it could not be read. */
  count(params: LogParams): Promise<Counted>;
  state(): Promise<StoreState>;
  /** Times whose lines retention leaves alone, the newest mark first. */
  keeps(): Promise<KeepMark[]>;
  keep(draft: KeepDraft): Promise<KeepMark>;
  removeKeep(id: string): Promise<void>;
}
