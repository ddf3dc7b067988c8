import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_LOOKED = 50_000;

/**
 * Paths that an absolute pattern means, at most `limit`: `*` and `?` within a name, `**` for any folders between. Names that
 * begin with a dot only where the pattern has the dot. Folders that cannot be read have nothing in them.
 */
export async function globPaths(pattern: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let looked = 0;
  const parts = pattern.split('/').filter((part) => part !== '');

  async function walk(folder: string, at: number): Promise<void> {
    const part = parts[at];
    if (part === undefined || found.length >= limit || looked > MAX_LOOKED) return;
    const isLast = at === parts.length - 1;
    if (!isLast && part !== '**' && !/[*?]/.test(part)) return walk(join(folder, part), at + 1);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    looked += entries.length;
    if (part === '**' && !isLast) await walk(folder, at + 1);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const { name } = entry;
      if (part === '**' && !isLast) {
        if (entry.isDirectory() && !name.startsWith('.')) await walk(join(folder, name), at);
      } else if (wildcard(part === '**' ? '*' : part, name)) {
        if (!isLast) await walk(join(folder, name), at + 1);
        else if (!entry.isDirectory() && found.length < limit) found.push(join(folder, name));
      }
    }
  }

  await walk('/', 0);
  return [...new Set(found)];
}

/** True when a path is one that an absolute pattern means, whether there is such a file or not. */
export function matchesGlob(pattern: string, path: string): boolean {
  const parts = pattern.split('/').filter((part) => part !== '');
  const names = path.split('/').filter((name) => name !== '');
  // For each part the names behind which it may end, so that many `**` cost no more than parts times names.
  let ends = new Set([0]);
  for (const [index, part] of parts.entries()) {
    const next = new Set<number>();
    for (const end of ends) {
      if (part !== '**' || index === parts.length - 1) {
        if (end < names.length && wildcard(part === '**' ? '*' : part, names[end]!)) next.add(end + 1);
        continue;
      }
      next.add(end);
      for (let at = end; at < names.length && !names[at]!.startsWith('.'); at += 1) next.add(at + 1);
    }
    ends = next;
  }
  return ends.has(names.length);
}

/** True when a name fits a pattern of `*` and `?`. Takes at most pattern times name steps, whatever the pattern. */
export function wildcard(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let p = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p;
      from = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      from += 1;
      n = from;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
