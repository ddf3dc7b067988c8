/** True when two JSON values say the same on the wire: an `undefined` property is absent, in a list it is null. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    if (a === undefined || b === undefined) return (a ?? null) === (b ?? null);
    return Number.isNaN(a) && Number.isNaN(b);
  }
  if (Array.isArray(a)) return Array.isArray(b) && sameLists(a, b);
  return !Array.isArray(b) && sameObjects(a as Record<string, unknown>, b as Record<string, unknown>);
}

function sameLists(a: unknown[], b: unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
  return true;
}

function sameObjects(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const keys = Object.keys(a);
  const others = Object.keys(b);
  // Presenters write their keys in one order: then nothing has to be looked up twice.
  if (keys.length === others.length) {
    let i = 0;
    while (i < keys.length && keys[i] === others[i]) {
      const [x, y] = [a[keys[i]!], b[keys[i]!]];
      if ((x === undefined) !== (y === undefined) || !same(x, y)) return false;
      i += 1;
    }
    if (i === keys.length) return true;
  }
  for (const key of keys) {
    if (a[key] === undefined) continue;
    if (!Object.hasOwn(b, key) || b[key] === undefined || !same(a[key], b[key])) return false;
  }
  for (const key of others) {
    if (b[key] !== undefined && (!Object.hasOwn(a, key) || a[key] === undefined)) return false;
  }
  return true;
}
