/**
 * What to add to `performance.now()` of this process or page to get the wall clock, in ms: read at the edge of a
 * millisecond. Time origins of different processes may be some ms apart; the wall clock of one machine is one.
 * Self-contained: it is also run inside pages.
 */
export function wallOffsetMs(): number {
  const offsets = Array.from({ length: 5 }, () => {
    const before = Date.now();
    let now = before;
    while (now === before) now = Date.now();
    return now - performance.now();
  });
  return offsets.sort((a, b) => a - b)[2]!;
}
