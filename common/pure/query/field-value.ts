/**
 * The values that a dotted name stands for in a line's fields: the key with the dots in its name, and the one that is
 * nested. Text is given as it is, numbers and booleans as JSON writes them; null, arrays and objects are no values.
 */
export function fieldValues(fieldsText: string, name: string): string[] {
  let fields: unknown;
  try {
    fields = JSON.parse(fieldsText);
  } catch {
    return [];
  }
  const found = [scalar(member(fields, name))];
  if (name.includes('.')) {
    let value = fields;
    for (const key of name.split('.')) value = member(value, key);
    found.push(scalar(value));
  }
  return found.filter((value) => value !== null);
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined;
  return (value as Record<string, unknown>)[key];
}

function scalar(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : null;
}
