import type { Line } from '../../../common/model/line.ts';
import type { Histogram } from './histogram.ts';
import type { LogParams } from './log-filter.ts';

/** Keeps a histogram of a stream: stored counts from the manager, live lines counted as they come. */
export interface HistogramSource {
  histogram: Histogram;
  addLive(lines: readonly Line[]): void;
  close(): void;
}

export type HistogramSources = (params: LogParams) => HistogramSource;
