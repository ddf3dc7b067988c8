import type { Line } from '../../../common/model/line.ts';
import { isMarker, type LineRing, type StreamRow } from './line-ring.ts';

/** Hosts are heard at different times: what was said this long ago may still come between lines that are here. */
export const SETTLE_MS = 1_000;
/** More rows are never moved for one batch: a frame must not cost more when much comes. */
const MOST_MOVED = 2_000;

const timeOf = ({ sortMs, tsMs }: Line) => sortMs ?? tsMs;

/**
 * Puts the lines of a batch in the order of the time they are ordered by, among each other and among the newest rows of the
 * ring down to number `from`: those are taken out of it and stand in the answer, which is to be appended. What is older than
 * the newest by more than a second stays where it arrived: it would not be seen further up.
 */
export function settleRows(ring: LineRing, rows: readonly StreamRow[], from: number): readonly StreamRow[] {
  if (rows.length === 0 || rows.some(isMarker)) return rows;
  const tail = ring.at(ring.end - 1);
  let newestMs = tail === undefined || isMarker(tail) ? Number.NEGATIVE_INFINITY : timeOf(tail);
  let inOrder = true;
  for (const row of rows as readonly Line[]) {
    const ms = timeOf(row);
    if (ms >= newestMs) newestMs = ms;
    else if (ms >= newestMs - SETTLE_MS) inOrder = false;
  }
  if (inOrder) return rows;
  return merged(takeBack(ring, rows as readonly Line[], newestMs, from), rows as readonly Line[], newestMs);
}

/** Takes the newest rows out of the ring that may stand behind a line of the batch; oldest first. */
function takeBack(ring: LineRing, rows: readonly Line[], newestMs: number, from: number): Line[] {
  const floorMs = newestMs - SETTLE_MS;
  const firstMs = rows.reduce((least, row) => (timeOf(row) < floorMs ? least : Math.min(least, timeOf(row))), newestMs);
  const back: Line[] = [];
  while (ring.end > Math.max(from, ring.first) && back.length < MOST_MOVED) {
    const row = ring.at(ring.end - 1)!;
    if (isMarker(row) || timeOf(row) <= firstMs) break;
    back.push(row);
    ring.pop();
  }
  return back.reverse();
}

/**
 * Both in one order. What one agent said stays in the order in which it said it, whatever its clock did; a line keeps its place
 * behind those of before that have its time, or where it is too old to be moved.
 */
function merged(back: readonly Line[], rows: readonly Line[], newestMs: number): Line[] {
  const latest = new Map<string, number>();
  let runMs = Number.NEGATIVE_INFINITY;
  return [...back, ...rows]
    .map((row) => {
      const ms = timeOf(row);
      runMs = Math.max(runMs, ms);
      const key = ms < newestMs - SETTLE_MS ? runMs : Math.max(ms, latest.get(row.agent) ?? ms);
      latest.set(row.agent, key);
      return { row, key };
    })
    .sort((a, b) => a.key - b.key)
    .map(({ row }) => row);
}
