import { columnsFault, type Dictionary, type LineColumns } from '../../common/wire/frames.ts';

const DICTIONARIES = ['level', 'source', 'unit', 'instance', 'job', 'session'] as const;

/**
 * Reads the body of a frame. Answers the columns, or a text that says what is wrong with them. The check is written
 * by hand: it looks at every value of every line, and a general schema would cost more than storing them.
 */
export function readColumns(body: Uint8Array, count: number): LineColumns | string {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return 'the body is not JSON';
  }
  if (!isColumns(value)) return 'the body is not of the form of columns';
  if (value.n !== count) return 'the header and the body differ in count';
  const fault = columnsFault(value);
  if (fault !== null) return fault;
  if (value.fields?.some((text) => text !== null && !isObjectText(text)) === true) return 'fields are not JSON objects';
  return value;
}

function isColumns(value: unknown): value is LineColumns {
  if (typeof value !== 'object' || value === null) return false;
  const columns = value as Partial<LineColumns>;
  return (
    isCount(columns.n) &&
    isArrayOf(columns.tsMs, 'number') &&
    isArrayOf(columns.message, 'string') &&
    DICTIONARIES.every((name) => isDictionary(columns[name])) &&
    (columns.fields === undefined || isNullableTexts(columns.fields))
  );
}

function isCount(n: unknown): boolean {
  return Number.isSafeInteger(n) && (n as number) > 0;
}

function isArrayOf(list: unknown, type: 'number' | 'string'): boolean {
  if (!Array.isArray(list)) return false;
  for (const item of list) if (typeof item !== type) return false;
  return true;
}

function isNullableTexts(list: unknown): boolean {
  if (!Array.isArray(list)) return false;
  for (const item of list) if (item !== null && typeof item !== 'string') return false;
  return true;
}

function isDictionary(value: unknown): value is Dictionary {
  if (typeof value !== 'object' || value === null) return false;
  const { values, index } = value as Partial<Dictionary>;
  if (!isArrayOf(values, 'string')) return false;
  if (index === undefined) return true;
  if (!Array.isArray(index)) return false;
  for (const at of index) if (!Number.isInteger(at)) return false;
  return true;
}

function isObjectText(text: string): boolean {
  // Cheap first: most texts that are no objects do not look like one.
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Names of sources that only the manager and the crawler may use; another program's line is given its own. */
export function ownSources(columns: LineColumns, agent: string): LineColumns {
  if (agent === 'manager' || !columns.source.values.some((name) => name === 'manager' || name === 'crawler'))
    return columns;
  const own = agent === 'crawler' ? 'crawler' : 'agent';
  const values = columns.source.values.map((name) => (name === 'manager' || name === 'crawler' ? own : name));
  return { ...columns, source: { ...columns.source, values } };
}
