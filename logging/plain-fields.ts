const MAX_DEPTH = 6;
const MAX_KEYS = 200;
const MAX_TEXT = 16_384;

/**
 * Fields as plain JSON values: errors opened, big integers as text, cycles and depths cut with a mark. A logging call
 * never throws and never carries a whole program along.
 */
export function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  return plainMap(fields, 0, []);
}

/** An error as fields: `{ error: { name, message, code?, stack, cause?, … } }`. Anything thrown may be given. */
export function errorFields(error: unknown): { error: unknown } {
  return { error: error instanceof Error ? plainError(error, 0, []) : plain(error, 0, []) };
}

function plain(value: unknown, depth: number, above: object[]): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… [${value.length} characters]` : value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return '[function]';
    case 'object':
      return value === null ? null : plainObject(value, depth, above);
    default:
      return value;
  }
}

function plainObject(value: object, depth: number, above: object[]): unknown {
  if (above.includes(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deep]';
  if (value instanceof Error) return plainError(value, depth, above);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const inner = [...above, value];
  if (value instanceof Set) return plainList([...value], depth, inner);
  if (value instanceof Map) return plainMap(Object.fromEntries(value), depth, inner);
  return Array.isArray(value) ? plainList(value, depth, inner) : plainMap(value, depth, inner);
}

function plainList(list: unknown[], depth: number, above: object[]): unknown[] {
  const out = list.slice(0, MAX_KEYS).map((value) => plain(value, depth + 1, above));
  if (list.length > MAX_KEYS) out.push(`[${list.length - MAX_KEYS} more]`);
  return out;
}

function plainMap(map: object, depth: number, above: object[]): Record<string, unknown> {
  // Without a prototype, a key such as __proto__ is a key like any other.
  const out: Record<string, unknown> = Object.create(null);
  let count = 0;
  for (const key of Object.keys(map)) {
    if (++count > MAX_KEYS) {
      out['…'] = `[${Object.keys(map).length - MAX_KEYS} more]`;
      break;
    }
    try {
      out[key] = plain((map as Record<string, unknown>)[key], depth + 1, above);
    } catch {
      out[key] = '[unreadable]';
    }
  }
  return out;
}

function plainError(error: Error, depth: number, above: object[]): Record<string, unknown> {
  const own = plainMap(error, depth, [...above, error]);
  own['name'] = error.name;
  own['message'] = plain(error.message, depth, above);
  own['stack'] = plain(error.stack, depth, above);
  if (error.cause !== undefined) own['cause'] = plain(error.cause, depth + 1, [...above, error]);
  return own;
}
