import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Position } from './file-tail.ts';

/** What is kept of one log: where reading stands, and whose log it is as far as the log itself said. */
export interface Kept extends Position {
  instance?: string | undefined;
}

const keptSchema = z.record(
  z.string(),
  z.object({
    inode: z.number(),
    offset: z.number().int().nonnegative(),
    skipping: z.boolean(),
    headBytes: z.number().int().nonnegative(),
    head: z.string(),
    instance: z.string().optional(),
  }),
);

/** Reads saved positions; null when there are none or they cannot be read. */
export async function loadPositions(path: string): Promise<Map<string, Kept> | null> {
  try {
    return new Map(Object.entries(keptSchema.parse(JSON.parse(await readFile(path, 'utf8')))));
  } catch {
    return null;
  }
}

/** Replaces the saved positions as a whole, so that a kill leaves the old or the new ones. */
export async function savePositions(path: string, positions: ReadonlyMap<string, Kept>): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(Object.fromEntries(positions)), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
