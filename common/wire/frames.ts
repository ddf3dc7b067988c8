import { z } from 'zod';
import { LEVELS, type Level, type NewLine, SOURCES, type Source } from '../model/line.ts';

/**
 * Lines travel and rest in columns. The body of a frame is the JSON text of `LineColumns`: arrays per field, repeated
 * values by dictionary. Only lines that someone watches become objects.
 */

/** `values[index[i]]` is the value of row i; -1 is "absent"; without `index` every row has `values[0]` (or none). */
export interface Dictionary {
  values: string[];
  index?: number[];
}

export interface LineColumns {
  n: number;
  /** Milliseconds since 1970, one per row. */
  tsMs: number[];
  level: Dictionary;
  source: Dictionary;
  unit: Dictionary;
  instance: Dictionary;
  job: Dictionary;
  session: Dictionary;
  message: string[];
  /** JSON text of each row's fields, or null. Absent when no row has any. */
  fields?: (string | null)[];
}

const dictionarySchema = z.object({ values: z.array(z.string()), index: z.array(z.number().int()).optional() });

export const lineColumnsSchema = z.object({
  n: z.number().int().positive(),
  tsMs: z.array(z.number()),
  level: dictionarySchema,
  source: dictionarySchema,
  unit: dictionarySchema,
  instance: dictionarySchema,
  job: dictionarySchema,
  session: dictionarySchema,
  message: z.array(z.string()),
  fields: z.array(z.string().nullable()).optional(),
});

const NAMES = ['level', 'source', 'unit', 'instance', 'job', 'session'] as const;
type DictionaryName = (typeof NAMES)[number];

/** Collects lines into columns. `add` then `take`; `take` empties it. */
export class ColumnBuilder {
  #columns = emptyColumns();
  #seen = new Map<DictionaryName, Map<string, number>>();
  #anyFields = false;
  /** Rough size of what is held, characters. */
  size = 0;

  get count(): number {
    return this.#columns.n;
  }

  add(line: NewLine): void {
    const columns = this.#columns;
    // First, because it may throw (cycles, big integers): a line is taken whole or not at all.
    const fields = line.fields === undefined ? null : JSON.stringify(line.fields);
    columns.n += 1;
    columns.tsMs.push(line.tsMs);
    for (const name of NAMES) this.#put(name, line[name]);
    columns.message.push(line.message);
    columns.fields?.push(fields);
    if (fields !== null) this.#anyFields = true;
    this.size += line.message.length + (fields?.length ?? 0) + 24;
  }

  take(): LineColumns {
    const columns = this.#columns;
    for (const name of NAMES) {
      const dictionary = columns[name];
      const index = dictionary.index ?? [];
      // One value everywhere, or none anywhere: the index says nothing.
      if (dictionary.values.length === 0 || (dictionary.values.length === 1 && !index.includes(-1)))
        delete dictionary.index;
    }
    if (!this.#anyFields) delete columns.fields;
    this.#columns = emptyColumns();
    this.#seen = new Map();
    this.#anyFields = false;
    this.size = 0;
    return columns;
  }

  #put(name: DictionaryName, value: string | undefined): void {
    const dictionary = this.#columns[name];
    if (value === undefined) {
      dictionary.index?.push(-1);
      return;
    }
    let seen = this.#seen.get(name);
    if (seen === undefined) {
      seen = new Map();
      this.#seen.set(name, seen);
    }
    let at = seen.get(value);
    if (at === undefined) {
      at = dictionary.values.push(value) - 1;
      seen.set(value, at);
    }
    dictionary.index?.push(at);
  }
}

function emptyColumns(): LineColumns {
  const dictionary = (): Dictionary => ({ values: [], index: [] });
  return {
    n: 0,
    tsMs: [],
    level: dictionary(),
    source: dictionary(),
    unit: dictionary(),
    instance: dictionary(),
    job: dictionary(),
    session: dictionary(),
    message: [],
    fields: [],
  };
}

/** The value of row `i` of a dictionary column, or undefined. */
export function valueAt(dictionary: Dictionary, i: number): string | undefined {
  if (dictionary.index === undefined) return dictionary.values[0];
  const at = dictionary.index[i];
  return at === undefined || at < 0 ? undefined : dictionary.values[at];
}

/**
 * Says what is wrong with columns that came from outside, or null when every column has the same length, every index
 * points into its dictionary, and level and source are of the closed lists.
 */
export function columnsFault(columns: LineColumns): string | null {
  const { n } = columns;
  if (columns.tsMs.length !== n || columns.message.length !== n) return 'columns differ in length';
  if (columns.fields !== undefined && columns.fields.length !== n) return 'fields differ in length';
  for (const name of NAMES) {
    const { values, index } = columns[name];
    if (index === undefined) {
      if (values.length > 1) return `${name} has several values and no index`;
      continue;
    }
    if (index.length !== n) return `${name} differs in length`;
    for (const at of index) if (at < -1 || at >= values.length) return `${name} points outside its dictionary`;
  }
  const missing = (d: Dictionary) => (d.index === undefined ? d.values.length !== 1 : d.index.includes(-1));
  if (missing(columns.level) || missing(columns.source)) return 'level and source are compulsory';
  if (!columns.level.values.every((v) => LEVELS.includes(v as Level))) return 'unknown level';
  if (!columns.source.values.every((v) => SOURCES.includes(v as Source))) return 'unknown source';
  return null;
}

/** Rows `from` to `to` (excluded). */
export function columnsBetween(columns: LineColumns, from: number, to: number): LineColumns {
  if (from === 0 && to === columns.n) return columns;
  const part = (dictionary: Dictionary): Dictionary =>
    dictionary.index === undefined
      ? dictionary
      : { values: dictionary.values, index: dictionary.index.slice(from, to) };
  return {
    n: to - from,
    tsMs: columns.tsMs.slice(from, to),
    level: part(columns.level),
    source: part(columns.source),
    unit: part(columns.unit),
    instance: part(columns.instance),
    job: part(columns.job),
    session: part(columns.session),
    message: columns.message.slice(from, to),
    ...(columns.fields === undefined ? {} : { fields: columns.fields.slice(from, to) }),
  };
}
