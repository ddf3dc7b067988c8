import { WebvirtError } from '../../common/errors.ts';

/**
 * The query of a request target as a map without a prototype. A key that stands twice becomes a list, so a schema that
 * expects one value refuses it instead of some part of us reading the first and another the last.
 */
export function readQuery(target: string): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = Object.create(null);
  const cut = target.indexOf('?');
  if (cut === -1) return out;
  let count = 0;
  for (const [key, value] of new URLSearchParams(target.slice(cut + 1))) {
    if (++count > 100) throw new WebvirtError('bad-request', 'The query has too many parts.');
    // Own property or not: `__proto__` is a plain key on a map without a prototype.
    const before = out[key];
    out[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  if (Object.hasOwn(out, '__proto__'))
    throw new WebvirtError('bad-request', 'The query has a key that is not allowed: __proto__.');
  return out;
}
