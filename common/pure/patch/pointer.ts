/** The JSON pointer (RFC 6901) of a child of `path`. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}/${key}`;
  // Keys with ~ or / are rare: looked for before anything is replaced.
  const plain = key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
  return `${path}/${plain}`;
}

/** The keys of a JSON pointer; `''` is the whole document and has none. Throws on text that is no pointer. */
export function pathKeys(path: string): string[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw new Error('not a JSON pointer');
  return path
    .slice(1)
    .split('/')
    .map((key) => (key.includes('~') ? key.replaceAll('~1', '/').replaceAll('~0', '~') : key));
}
