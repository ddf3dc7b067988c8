import { join } from 'node:path';
import type { IndexShelf } from './index-shelf.ts';
import type { Segment } from './layout.ts';
import { integer } from './query-sql.ts';
import type { SegmentGuard } from './segment-guard.ts';
import { quotedText } from './sql-text.ts';

/**
 * What stands behind FROM for the lines of a file that are as they were written, for work that goes through all of it, and how
 * many are not. `from` is null when no block is whole. A file of which no checksums are known is taken to be whole.
 */
export async function readableLines(
  segment: Segment,
  { folder, shelf, guard }: { folder: string; shelf: IndexShelf; guard: SegmentGuard },
): Promise<{ from: string | null; lost: number }> {
  const loaded = await shelf.get(segment);
  const from = `read_parquet(${quotedText(join(folder, segment.file))})`;
  if (!loaded?.index.sealed) return { from, lost: 0 };
  const { blocks } = loaded.index;
  const bad = await guard.badBlocks(segment, loaded, [...blocks.keys()]);
  if (bad.size === 0) return { from, lost: 0 };
  const lost = [...bad].reduce((sum, block) => sum + blocks[block]!.lines, 0);
  const left = blocks.filter((_, i) => !bad.has(i)).map(({ block }) => integer(block));
  return { from: left.length === 0 ? null : `(SELECT * FROM ${from} WHERE block IN (${left.join(', ')}))`, lost };
}
