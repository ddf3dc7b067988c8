import { isMarker, LineRing, type Marker, type StreamRow } from './line-ring.ts';

/** Of what came too late for a full window, so much is kept for the moment when the reader goes on. */
const KEPT_ROWS = 2_000;

/** Rows that found no room in a window whose reader has paused: the newest are kept, the others counted. */
export class LateRows {
  #kept = new LineRing(KEPT_ROWS);
  #dropped = 0;

  /** Those of the rows that the ring still has room for; the rest is kept here. */
  take(ring: LineRing, rows: readonly StreamRow[]): readonly StreamRow[] {
    const room = this.#kept.length > 0 ? 0 : ring.capacity - ring.length;
    if (room >= rows.length) return rows;
    this.#dropped += this.#kept.push(rows.slice(room));
    return rows.slice(0, room);
  }

  /** What is to be appended now; a marker says what is missing before it. */
  rest(fromMs: number | null): StreamRow[] {
    const rows: StreamRow[] = [];
    for (let n = this.#kept.first; n < this.#kept.end; n += 1) rows.push(this.#kept.at(n)!);
    if (this.#dropped === 0) return rows;
    const next = rows.find((row) => !isMarker(row));
    const toMs = next === undefined || isMarker(next) ? null : next.tsMs;
    const text = 'came while this view was paused';
    const marker: Marker = { marker: 'skipped', count: this.#dropped, text, fromMs, toMs };
    return [marker, ...rows];
  }
}
