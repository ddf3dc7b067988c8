import { LEVELS, type Level } from '../../model/line.ts';
import { fieldValues } from './field-value.ts';
import { fold } from './fold.ts';
import { isColumnField, numberOf, type Query, type Term } from './query.ts';
import type { QueryRow } from './row.ts';

/** Compiles an RE2 pattern; time must be linear in the text. Throws `bad-query` on a pattern it cannot read. */
export type RegexEngine = (source: string, options: { ignoreCase: boolean; at: number }) => (text: string) => boolean;

export type Matcher = (row: QueryRow) => boolean;

/** Makes the test that every line must pass. The store's SQL has the same meaning: a test compares them. */
export function compileMatcher(query: Query, regexEngine: RegexEngine): Matcher {
  const tests = query.terms
    .map((term) => ({ cost: COST[term.kind], test: compileTerm(term, regexEngine) }))
    .sort((a, b) => a.cost - b.cost)
    .map(({ test }) => test);
  if (tests.length === 1) return tests[0]!;
  return (row) => {
    for (const test of tests) if (!test(row)) return false;
    return true;
  };
}

/** Cheap tests first: most lines are refused by them. */
const COST: Record<Term['kind'], number> = { severity: 0, present: 1, field: 2, text: 3, regex: 4 };

function compileTerm(term: Term, regexEngine: RegexEngine): Matcher {
  const test = compilePositive(term, regexEngine);
  return term.not ? (row) => !test(row) : test;
}

function compilePositive(term: Term, regexEngine: RegexEngine): Matcher {
  switch (term.kind) {
    case 'severity':
      return (row) => LEVELS.indexOf(row.column('level') as Level) <= term.most;
    case 'text':
      return (row) => fold(row.message).includes(term.text);
    case 'regex': {
      const found = regexEngine(term.source, { ignoreCase: term.ignoreCase, at: term.at });
      return (row) => found(row.message);
    }
    case 'present':
      return compilePresent(term.field);
    case 'field':
      return compileField(term.field, term.pieces);
  }
}

function compilePresent(field: string): Matcher {
  if (field === 'host') return (row) => row.host !== '';
  if (isColumnField(field)) return (row) => row.column(field) !== undefined;
  return (row) => row.fields !== null && fieldValues(row.fields, field).length > 0;
}

function compileField(field: string, pieces: string[]): Matcher {
  const same = valueTest(pieces);
  if (field === 'host') return (row) => same(row.host) || same(row.hostName);
  if (isColumnField(field)) {
    return (row) => {
      const value = row.column(field);
      return value !== undefined && same(value);
    };
  }
  const wanted = pieces.length === 1 ? numberOf(pieces[0]!) : null;
  const sameValue = (value: string) => same(value) || (wanted !== null && numberOf(value) === wanted);
  return (row) => row.fields !== null && fieldValues(row.fields, field).some(sameValue);
}

/** Equality, or the pieces in order with anything between them. */
export function valueTest(pieces: string[]): (value: string) => boolean {
  if (pieces.length === 1) return (value) => fold(value) === pieces[0];
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const middle = pieces.slice(1, -1);
  return (value) => {
    const text = fold(value);
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    const end = text.length - last.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}
