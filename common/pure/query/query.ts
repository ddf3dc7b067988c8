/**
 * The filter language of log lines, in the form that the matcher (live) and the SQL compiler (stored) both read.
 * A query is the AND of its terms; an empty query matches every line.
 */
export type Term =
  /** Case-insensitive substring of the message. */
  | { kind: 'text'; text: string; not: boolean }
  /** `pieces` of a value between `*` wildcards: one piece is equality, `['']` alone cannot occur. Case-insensitive. */
  | { kind: 'field'; field: string; pieces: string[]; not: boolean }
  /** The field is there, whatever its value: `job:*`. */
  | { kind: 'present'; field: string; not: boolean }
  /** RE2 pattern that is found in the message. `at` is its place in the text, for errors. */
  | { kind: 'regex'; source: string; ignoreCase: boolean; not: boolean; at: number }
  /** This level or a more severe one; index into LEVELS. */
  | { kind: 'severity'; most: number; not: boolean };

export interface Query {
  terms: Term[];
}

/** Fields of a line that are columns; every other name is looked up in the line's `fields`. */
export const COLUMN_FIELDS = ['level', 'source', 'agent', 'unit', 'instance', 'job', 'session'] as const;
export type ColumnField = (typeof COLUMN_FIELDS)[number];

export function isColumnField(name: string): name is ColumnField {
  return (COLUMN_FIELDS as readonly string[]).includes(name);
}

export const LIMIT_QUERY_CHARACTERS = 2_000;
export const LIMIT_QUERY_TERMS = 64;

/** A decimal number in the forms that JSON has: such values are compared as numbers, so that 200 is 200.0. */
export const NUMBER_PATTERN = '^-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$';
const NUMBER = new RegExp(NUMBER_PATTERN);

/** The number that a text stands for, or null when it is not one. */
export function numberOf(text: string): number | null {
  return NUMBER.test(text) ? Number(text) : null;
}
