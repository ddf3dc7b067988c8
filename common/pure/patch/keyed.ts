/** How one list of rows becomes another: first `removed` (places in the old list, last first), then place by place. */
export interface KeyedEdits {
  removed: number[];
  /** For each new place the old place of the same row if it stays where it is; -1 if it is added there. */
  keptFrom: Int32Array;
}

/**
 * Compares two lists of objects by their `id`. Null when the lists are not such lists (ids missing or double);
 * `'replace'` when sending the new list whole is smaller. A moved row is removed and added: the rows that stay are the
 * longest run in unchanged order, so moving one row of a thousand is two operations.
 */
export function keyedEdits(before: unknown[], after: unknown[]): KeyedEdits | 'replace' | null {
  if (before.length === 0 || after.length === 0) return before.length === after.length ? null : 'replace';
  const keptFrom = new Int32Array(after.length).fill(-1);
  if (sameOrder(before, after, keptFrom)) return { removed: [], keptFrom };
  const newPlaces = placesById(after);
  const oldPlaces = placesById(before);
  if (newPlaces === null || oldPlaces === null) return null;
  const survivors: { from: number; to: number }[] = [];
  for (const [id, from] of oldPlaces) {
    const to = newPlaces.get(id);
    if (to !== undefined) survivors.push({ from, to });
  }
  const staying = longestRising(survivors.map((s) => s.to));
  // A removal costs a few bytes, an added row is sent whole.
  if (after.length - staying.length + (before.length - staying.length) * 0.1 >= after.length) return 'replace';
  const stays = new Uint8Array(before.length);
  for (const at of staying) {
    const { from, to } = survivors[at]!;
    stays[from] = 1;
    keptFrom[to] = from;
  }
  const removed: number[] = [];
  for (let i = before.length - 1; i >= 0; i--) if (stays[i] === 0) removed.push(i);
  return { removed, keptFrom };
}

/** The common case, without any map: the same rows in the same order. Ids that are double do no harm there. */
function sameOrder(before: unknown[], after: unknown[], keptFrom: Int32Array): boolean {
  if (before.length !== after.length) return false;
  for (let i = 0; i < after.length; i++) {
    const id = idOf(after[i]);
    if (id === null || id !== idOf(before[i])) return false;
    keptFrom[i] = i;
  }
  return true;
}

function idOf(row: unknown): string | number | null {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return null;
  const { id } = row as { id?: unknown };
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

function placesById(list: unknown[]): Map<string | number, number> | null {
  const places = new Map<string | number, number>();
  for (let i = 0; i < list.length; i++) {
    const id = idOf(list[i]);
    if (id === null || places.has(id)) return null;
    places.set(id, i);
  }
  return places;
}

/** Indexes of a longest strictly rising subsequence (patience sorting, n log n). */
function longestRising(values: number[]): number[] {
  const tails: number[] = [];
  const previous = new Int32Array(values.length).fill(-1);
  for (let i = 0; i < values.length; i++) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[tails[middle]!]! < values[i]!) low = middle + 1;
      else high = middle;
    }
    if (low > 0) previous[i] = tails[low - 1]!;
    tails[low] = i;
  }
  const rising: number[] = [];
  for (let at = tails.at(-1) ?? -1; at >= 0; at = previous[at]!) rising.push(at);
  return rising.reverse();
}
