import type { Marker } from './line-ring.ts';
import type { LineWindow } from './line-window.ts';
import type { LogParams } from './log-filter.ts';

/** The lines of one stream: a live tail, or stored pages of a range, with older pages on request. */
export interface LineSource {
  window: LineWindow;
  live: boolean;
  loadOlder(): Promise<void>;
  loadMarker(marker: Marker): Promise<void>;
  /** How far back stored lines were searched, when a search ended early; null otherwise. */
  searchedBackToMs(): number | null;
  close(): void;
}

export type LineSources = (params: LogParams) => LineSource;
