import type { KeepMark, SavedSearch } from '../../../common/model/search.ts';

export interface SearchStore {
  /** Of all owners. */
  all(): SavedSearch[];
  /** Those of an owner and those that others share, by name. */
  visible(owner: string): SavedSearch[];
  get(id: string): SavedSearch | null;
  /** False when its owner has another one of this name, in whatever case: nothing is written. */
  put(search: SavedSearch): boolean;
  remove(id: string): void;
}

export interface KeepStore {
  /** The newest first. */
  list(): KeepMark[];
  get(id: string): KeepMark | null;
  put(mark: KeepMark): void;
  remove(id: string): void;
  /** What retention leaves alone: in order of time, those that touch put together. */
  ranges(): { fromMs: number; toMs: number }[];
}
