import { sizeOf } from './durable-file.ts';
import { mergeSmall } from './merge.ts';
import { renewFile } from './renew-file.ts';
import { usedBytes } from './retention.ts';
import type { MendPoint } from './sealer.ts';
import type { SwapDeps } from './swap-segments.ts';

export interface UpkeepOptions {
  /** Path of the database file. */
  path: string;
  /** Lines of a full sealed file. */
  fullLines: number;
  /** Free room in the database file from which it is written anew. */
  freeBytes: number;
}

/** New lines, as a part of a full file, above which they will need that room soon again. */
const FEW_LINES = 1 / 8;

/**
 * What keeps the store small in quiet times: small sealed files are made one, and the file of new lines gives its free room
 * back. Nothing may be sealed meanwhile.
 */
export async function keepUp(
  { path, fullLines, freeBytes }: UpkeepOptions,
  deps: SwapDeps & { failpoint: (name: MendPoint) => void },
): Promise<void> {
  const { engine, book, failpoint } = deps;
  const { hot, sealing } = book.current;
  if (sealing !== null || hot.lines > fullLines / 2) return;
  await mergeSmall(fullLines, deps);
  if (hot.lines > fullLines * FEW_LINES) return;
  const used = await engine.read(usedBytes);
  const free = (await sizeOf(path)) - used;
  // What is used is copied while nobody can write.
  if (free < freeBytes || free < used) return;
  await engine.checkpoint();
  await engine.whileClosed(() => renewFile(path, failpoint));
  // Whoever asks first should not have to wait for it.
  await engine.write(() => Promise.resolve());
}
