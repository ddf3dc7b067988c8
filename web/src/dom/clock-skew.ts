import type { Line } from '../../../common/model/line.ts';
import { durationText } from './format.ts';

/** From here on a wrong clock is worth a word. */
const SKEW_MS = 2_000;

/** What to say of a host's clock, or null when it is right enough. `offsetMs`: the manager's clock minus the host's. */
export function skewText(offsetMs: number | undefined): string | null {
  if (offsetMs === undefined || Math.abs(offsetMs) <= SKEW_MS) return null;
  return `Its clock is ${durationText(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead of'} the manager's.`;
}

/** The same of one line: its agent's time is not the one that it is ordered by. */
export function lineSkewText({ tsMs, sortMs }: Pick<Line, 'tsMs' | 'sortMs'>): string | null {
  return sortMs === undefined ? null : skewText(sortMs - tsMs);
}
