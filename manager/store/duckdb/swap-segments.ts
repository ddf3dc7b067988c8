import type { Engine } from './engine.ts';
import type { IndexShelf } from './index-shelf.ts';
import { insertSegment, type LayoutBook, nextVersion, type Segment } from './layout.ts';
import { integer } from './query-sql.ts';
import type { SegmentGuard } from './segment-guard.ts';

/** What is needed to change which files there are. */
export interface SwapDeps {
  engine: Engine;
  book: LayoutBook;
  shelf: IndexShelf;
  guard: SegmentGuard;
  folder: string;
  /** Files that are being written: no row names them yet. */
  underway: Set<string>;
  /** Removes a file once those who began to read before have ended. */
  removeLater(file: string): void;
}

/**
 * Puts a file (null: nothing) in the place of others, in one transaction: whoever reads sees either. `inside` is called
 * before its end, `behind` after it. Nothing may be sealed meanwhile.
 */
export async function swapSegments(
  old: readonly Segment[],
  next: Segment | null,
  { engine, book, shelf, guard, underway, removeLater }: SwapDeps,
  { inside, behind }: { inside: () => void; behind: () => void },
): Promise<void> {
  await engine.write(
    async (connection) => {
      await connection.run(`DELETE FROM segments WHERE id IN (${old.map(({ id }) => integer(id)).join(', ')})`);
      if (next !== null) await insertSegment(connection, next);
      inside();
      return nextVersion(connection, book.current.sealing !== null);
    },
    (version) => {
      const left = book.current.segments.filter((one) => !old.includes(one));
      const segments = (next === null ? left : [...left, next]).sort((a, b) => a.minOrdinal - b.minOrdinal);
      book.put({ ...book.current, version, segments });
    },
  );
  behind();
  underway.clear();
  for (const { file } of old) {
    shelf.forget(file);
    guard.forget(file);
    removeLater(file);
  }
}
