import { WebvirtError } from '../../common/errors.ts';

const MAX_DEPTH = 32;

/**
 * JSON of a stranger as a value that cannot reach a prototype: `__proto__` and `constructor.prototype` are refused at
 * any depth (a naive merge of them changes every object of the process), nesting is bounded. Throws `bad-request`.
 */
export function parseSafeJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WebvirtError('bad-request', 'The body is not valid JSON.', {}, { cause: error });
  }
  mustBeHarmless(value);
  return value;
}

/** Refuses keys that reach prototypes and nesting beyond 32 levels. Walks without recursion. */
export function mustBeHarmless(value: unknown): void {
  const waiting: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth >= MAX_DEPTH) throw new WebvirtError('bad-request', 'The body is nested too deeply.');
    for (const key of Object.keys(next.value)) {
      const inner = (next.value as Record<string, unknown>)[key];
      if (key === '__proto__' || (key === 'constructor' && hasPrototypeKey(inner))) {
        throw new WebvirtError('bad-request', `The body has a key that is not allowed: ${key}.`);
      }
      waiting.push({ value: inner, depth: next.depth + 1 });
    }
  }
}

function hasPrototypeKey(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}
