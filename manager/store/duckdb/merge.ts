import { join } from 'node:path';
import { nextSegmentId, type Segment } from './layout.ts';
import type { MendPoint } from './sealer.ts';
import { quotedText } from './sql-text.ts';
import { type SwapDeps, swapSegments } from './swap-segments.ts';
import { writeSegment } from './write-segment.ts';

/** So many neighbours become one file: a line is written again a few times at most, however many files come. */
const TOGETHER = 8;
/** Retention takes whole files: what is merged was received within a day. */
const LONGEST_MS = 86_400_000;

/**
 * The first files that are worth one: neighbours in the order of arrival, each smaller than an eighth of a full one, and
 * received within a day. Null: there are none.
 */
export function smallNeighbours(segments: readonly Segment[], fullLines: number): Segment[] | null {
  let run: Segment[] = [];
  for (const segment of segments) {
    if (segment.lines >= fullLines / TOGETHER) run = [];
    else {
      run.push(segment);
      while (spanOf(run) > LONGEST_MS) run.shift();
    }
    if (run.length === TOGETHER) return run;
  }
  return null;
}

function spanOf(run: readonly Segment[]): number {
  const from = run.reduce((least, { minReceivedMs }) => Math.min(least, minReceivedMs), Infinity);
  return run.reduce((most, { maxReceivedMs }) => Math.max(most, maxReceivedMs), -Infinity) - from;
}

/**
 * Makes one file of small neighbours. False: there are none that are whole. A file of which a block is damaged stays as it
 * is: what can be read of it would otherwise look like all there was.
 */
export async function mergeSmall(
  fullLines: number,
  deps: SwapDeps & { failpoint: (name: MendPoint) => void },
): Promise<boolean> {
  const { engine, book, folder, underway, failpoint } = deps;
  let known = book.current.segments;
  let old = smallNeighbours(known, fullLines);
  for (; old !== null; old = smallNeighbours(known, fullLines)) {
    const damaged: Segment[] = [];
    for (const segment of old) if (!(await isWhole(segment, deps))) damaged.push(segment);
    if (damaged.length === 0) break;
    known = known.filter((segment) => !damaged.includes(segment));
  }
  if (old === null) return false;
  const id = await engine.write(nextSegmentId);
  const paths = old.map(({ file }) => quotedText(join(folder, file))).join(', ');
  try {
    const next = await engine.aside((connection) =>
      writeSegment(connection, {
        ...{ folder, id, from: `read_parquet([${paths}])`, failpoint: () => failpoint('G1') },
        onNamed: (file) => underway.add(file),
      }),
    );
    await swapSegments(old, next, deps, { inside: () => failpoint('G2'), behind: () => failpoint('G3') });
  } finally {
    underway.clear();
  }
  return true;
}

async function isWhole(segment: Segment, { shelf, guard }: SwapDeps): Promise<boolean> {
  const loaded = await shelf.get(segment);
  if (loaded === null || loaded.index.sealed === null) return false;
  const all = loaded.index.blocks.map((_, i) => i);
  return (await guard.badBlocks(segment, loaded, all)).size === 0;
}
