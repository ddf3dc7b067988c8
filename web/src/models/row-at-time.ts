import { isMarker, type LineRing } from './line-ring.ts';

/** Time by which a row is ordered; of the nearest line where the row itself is none. */
export function timeOfRow(ring: LineRing, number: number): number | null {
  for (let step = 0; step < 64; step += 1) {
    for (const at of [number + step, number - step]) {
      const row = ring.at(at);
      if (row !== undefined && !isMarker(row)) return row.sortMs ?? row.tsMs;
    }
  }
  return null;
}

/** Number of the first row that is not before a time, or the last one; null when there is none. Rows stand in order, about. */
export function rowAtTime(ring: LineRing, tsMs: number): number | null {
  if (ring.length === 0) return null;
  let low = ring.first;
  let high = ring.end - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((timeOfRow(ring, middle) ?? 0) < tsMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
