import type { Line } from '../../../common/model/line.ts';

/** Words of a line that are no fields of its own. */
export const LINE_WORDS = ['host', 'source', 'unit', 'instance', 'job', 'session', 'agent', 'level'] as const;
const WORDS = new Set<string>(LINE_WORDS);

/** What a filter, a column or a facet calls `field`, read from a line; undefined where the line does not have it. */
export function fieldOf(line: Line, field: string): unknown {
  if (WORDS.has(field)) return (line as unknown as Record<string, unknown>)[field];
  const { fields } = line;
  if (fields === undefined) return undefined;
  if (Object.hasOwn(fields, field)) return fields[field];
  let value: unknown = fields;
  for (const part of field.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** The text of a value, in one row and not longer than any row is wide. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

const MOST_NAMES = 40;
const MOST_DEPTH = 3;

/** Names of own fields that hold plain values, as paths, most frequent first. `lines` is a sample. */
export function fieldNames(lines: Iterable<Line>): string[] {
  const counts = new Map<string, number>();
  for (const { fields } of lines) if (fields !== undefined) count(fields, '', 1, counts);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([name]) => name);
}

function count(fields: Record<string, unknown>, prefix: string, depth: number, counts: Map<string, number>): void {
  for (const key in fields) {
    const value = fields[key];
    const name = prefix + key;
    if (name.length > 64 || (prefix === '' && (key === 'gap' || WORDS.has(key)))) continue;
    if (value !== null && typeof value === 'object') {
      if (!Array.isArray(value) && depth < MOST_DEPTH)
        count(value as Record<string, unknown>, `${name}.`, depth + 1, counts);
      continue;
    }
    if (counts.size >= MOST_NAMES && !counts.has(name)) continue;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}
