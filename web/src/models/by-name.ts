const names = new Intl.Collator(undefined, { numeric: true });

/** Order of names as people count: `node-2` before `node-10`. One for every list of the console. */
export function byName(a: string, b: string): number {
  return names.compare(a, b);
}
