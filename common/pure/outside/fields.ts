export const LIMIT_MESSAGE_CHARACTERS = 64 * 1024;
export const LIMIT_FIELDS_CHARACTERS = 32 * 1024;
const LIMIT_VALUE_CHARACTERS = 16 * 1024;
const LIMIT_DEPTH = 32;

/** True when a value is nested so deeply that nobody means it. Walks without recursion. */
export function isTooDeep(value: unknown): boolean {
  const waiting: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth >= LIMIT_DEPTH) return true;
    for (const key of Object.keys(next.value))
      waiting.push({ value: (next.value as Record<string, unknown>)[key], depth: next.depth + 1 });
  }
  return false;
}

/**
 * Fields in the order given, as many as there is room for. A long text is cut, what has no room is left out, and `cut`
 * counts both: a line is not refused for what stands beside it. Keys are kept as they are, `__proto__` too.
 */
export function boundedFields(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  let [left, cut] = [LIMIT_FIELDS_CHARACTERS, 0];
  for (const [key, given] of entries) {
    let value = given;
    if (typeof value === 'string' && value.length > LIMIT_VALUE_CHARACTERS) {
      value = value.slice(0, LIMIT_VALUE_CHARACTERS);
      cut += 1;
    }
    const size = key.length + 6 + (typeof value === 'string' ? value.length : (JSON.stringify(value)?.length ?? 0));
    if (size > left) {
      cut += 1;
      continue;
    }
    left -= size;
    Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true });
  }
  if (cut > 0) fields['cut'] = cut;
  return fields;
}

/** The message, cut where it is too long; how long it was is then a field. */
export function boundedMessage(message: string): { message: string; wasCharacters: number | null } {
  if (message.length <= LIMIT_MESSAGE_CHARACTERS) return { message, wasCharacters: null };
  return { message: message.slice(0, LIMIT_MESSAGE_CHARACTERS), wasCharacters: message.length };
}

/** Names that mean something of ours: a column of lines, a record of lost lines, or what we add. */
const OURS = new Set([
  ...['host', 'level', 'source', 'agent', 'unit', 'instance', 'job', 'session'],
  ...['gap', 'sender', 'via', 'cut'],
]);

/** The name under which a claim of a sender is kept: never one that means something of ours. */
export const claimed = (name: string) => (OURS.has(name) ? `external.${name}` : name);
