import type { KeepMark } from '../../../common/model/search.ts';
import type { LogParams } from './log-filter.ts';

export interface KeepDraft {
  fromMs: number;
  toMs: number;
  note: string;
}

/** Calls about stored lines beside searching them. All reject with the manager's own words. */
export interface StoredLines {
  /** How many lines a filter has in its range. */
  count(params: LogParams): Promise<number>;
  /** Times whose lines retention leaves alone, the newest mark first. */
  keeps(): Promise<KeepMark[]>;
  keep(draft: KeepDraft): Promise<KeepMark>;
  removeKeep(id: string): Promise<void>;
}
