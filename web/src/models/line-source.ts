import type { Marker } from './line-ring.ts';
import type { LineWindow } from './line-window.ts';
import type { LogParams } from './log-filter.ts';

/** A search in the stored lines, newest first: how far it looked, and what it found so far. */
export interface SearchState {
  running: boolean;
  found: number;
  /** Null until the first answer. */
  backToMs: number | null;
  /** It looked at everything that there is. */
  complete: boolean;
  cancelled: boolean;
  /** Stored lines that could have matched, but that the manager cannot read any more. */
  unreadable: readonly { lines: number; fromMs: number; toMs: number }[];
}

/** The lines of one stream: a live tail, or stored pages of a range, with older pages on request. */
export interface LineSource {
  window: LineWindow;
  live: boolean;
  /** Searches further back; what it finds is put before the first row as it is found. The window tells `state`. */
  loadOlder(): Promise<void>;
  /** Lines after the last one; null for a tail, which has them by itself. */
  loadNewer: (() => Promise<void>) | null;
  loadMarker(marker: Marker): Promise<void>;
  /** The search in the past; null when none was made yet. */
  search(): SearchState | null;
  cancelSearch(): void;
  close(): void;
}

export type LineSources = (params: LogParams) => LineSource;

/** A source that holds what it is given, and never asks for more. */
export function fixedSource(window: LineWindow): LineSource {
  return {
    window,
    live: false,
    loadOlder: async () => {},
    loadNewer: null,
    loadMarker: async () => {},
    search: () => null,
    cancelSearch: () => {},
    close: () => {},
  };
}
