import type { Plan } from './plan.ts';

/** Lines that the first window may make the database look at; each further one takes more. */
const FIRST_LINES = 8_192;
const GROWTH = 4;
/** What is not divided into blocks is taken to be spread evenly over its time. */
const SLICE_LINES = 16_384;

interface Slice {
  fromMs: number;
  toMs: number;
  lines: number;
}

/**
 * Cuts the past of a plan into windows, newest first, of about so many lines that may match: where nothing can match a
 * window reaches far. Answers the lower end of the window below `highMs`, -Infinity for the last one.
 */
export function createWindows(plan: Plan): (highMs: number) => number {
  const slices: Slice[] = [];
  const spread = (fromMs: number, toMs: number, lines: number) => {
    const count = Math.max(1, Math.ceil(lines / SLICE_LINES));
    const width = (toMs - fromMs) / count;
    for (let i = 0; i < count; i += 1)
      slices.push({ fromMs: fromMs + i * width, toMs: fromMs + (i + 1) * width, lines: lines / count });
  };
  for (const { fromMs, toMs, lines } of plan.tables) spread(fromMs, toMs, lines);
  for (const { fromMs, toMs, lines, blocks } of plan.segments) {
    if (blocks === null) spread(fromMs, toMs, lines);
    else
      for (const block of blocks) slices.push({ fromMs: block.minSortMs, toMs: block.maxSortMs, lines: block.lines });
  }
  slices.sort((a, b) => b.toMs - a.toMs);
  let wanted = FIRST_LINES;
  let next = 0;
  return (highMs) => {
    let lines = 0;
    // What reached into the window before may reach into this one too, but it was counted there.
    while (next < slices.length && (lines < wanted || slices[next]!.toMs + 1 >= highMs)) {
      const slice = slices[next]!;
      if (slice.fromMs < highMs) lines += slice.lines;
      next += 1;
    }
    wanted *= GROWTH;
    const left = slices[next];
    return left === undefined ? -Infinity : Math.floor(left.toMs) + 1;
  };
}
