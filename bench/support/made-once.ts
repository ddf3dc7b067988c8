import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an earlier run made in a folder, where there is one: `make` answers what is worth to know of it. Null: made anew. */
export async function madeOnce<T>(folder: string | undefined, make: () => Promise<T>): Promise<T> {
  if (folder === undefined) return make();
  const note = join(folder, 'made.json');
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as T;
  mkdirSync(folder, { recursive: true });
  const made = await make();
  writeFileSync(note, JSON.stringify(made));
  return made;
}
