import { LEVELS, SOURCES } from '../../../common/model/line.ts';
import { valueTest } from '../../../common/pure/query/match.ts';
import type { Query, Term } from '../../../common/pure/query/query.ts';
import { isColumnField, NUMBER_PATTERN, numberOf } from '../../../common/pure/query/query.ts';
import { patternText } from './pattern-text.ts';
import { levelCode, sourceCode } from './schema.ts';

/** A condition of a WHERE clause. Text from outside is always in `values`, bound to the `?` in order. */
export interface Condition {
  sql: string;
  values: string[];
}

/** Joins conditions with AND; none is TRUE. */
export function allOf(conditions: readonly Condition[]): Condition {
  if (conditions.length === 0) return { sql: 'TRUE', values: [] };
  return { sql: conditions.map((c) => c.sql).join(' AND '), values: conditions.flatMap((c) => c.values) };
}

/** A whole number printed by us: comparisons with a literal can skip blocks, comparisons with a parameter cannot. */
export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number: ${value}`);
  return String(value);
}

/** The conditions of a query over table `lines`; the same meaning as `compileMatcher`, which a test compares. */
export function queryConditions(query: Query): Condition[] {
  return query.terms.map((term) => {
    const positive = termCondition(term);
    return term.not ? { sql: `NOT coalesce((${positive.sql}), FALSE)`, values: positive.values } : positive;
  });
}

function termCondition(term: Term): Condition {
  switch (term.kind) {
    case 'severity':
      return { sql: `level <= ${integer(term.most)}`, values: [] };
    case 'text':
      return { sql: 'contains(lower(message), ?)', values: [term.text] };
    case 'regex':
      return {
        sql: `regexp_matches(message, ?${term.ignoreCase ? ", 'i'" : ''})`,
        values: [patternText(term.source, term)],
      };
    case 'present':
      return presentCondition(term.field);
    case 'field':
      return fieldCondition(term.field, term.pieces);
  }
}

function presentCondition(field: string): Condition {
  if (field === 'host') return { sql: "host <> ''", values: [] };
  if (isColumnField(field)) return { sql: `${field} IS NOT NULL`, values: [] };
  return anyPath(field, (value) => ({ sql: `${value} IS NOT NULL`, values: [] }));
}

function fieldCondition(field: string, pieces: string[]): Condition {
  const [only] = pieces;
  if (field === 'host') return anyOf([same('host', pieces), same('host_name', pieces)]);
  if (field === 'level') return coded('level', pieces, levelCode, LEVELS);
  if (field === 'source') return coded('source', pieces, sourceCode, SOURCES);
  if (isColumnField(field)) return same(field, pieces);
  const wanted = pieces.length === 1 ? numberOf(only!) : null;
  return anyPath(field, (value) => {
    const text = same(value, pieces);
    if (wanted === null) return text;
    return anyOf([
      text,
      {
        sql: `(CASE WHEN regexp_matches(${value}, ?) THEN TRY_CAST(${value} AS DOUBLE) = CAST(? AS DOUBLE) END)`,
        values: [NUMBER_PATTERN, String(wanted)],
      },
    ]);
  });
}

/** Levels and sources are kept as numbers: the names that fit are found here. */
function coded(column: string, pieces: string[], code: (text: string) => number, names: readonly string[]): Condition {
  const codes = names.filter(valueTest(pieces)).map((name) => integer(code(name)));
  return { sql: codes.length === 0 ? 'FALSE' : `${column} IN (${codes.join(', ')})`, values: [] };
}

function same(expression: string, pieces: string[]): Condition {
  if (pieces.length === 1) return { sql: `lower(${expression}) = ?`, values: [pieces[0]!] };
  const like = pieces.map((piece) => piece.replaceAll(/[\\%_]/g, '\\$&')).join('%');
  return { sql: `lower(${expression}) LIKE ? ESCAPE '\\'`, values: [like] };
}

function anyOf(conditions: Condition[]): Condition {
  return {
    sql: `(${conditions.map((c) => `coalesce(${c.sql}, FALSE)`).join(' OR ')})`,
    values: conditions.flatMap((c) => c.values),
  };
}

/** The key with dots in its name, and the nested one. A path has only letters, digits, - _ @ and dots: the parser's rule. */
function anyPath(field: string, condition: (value: string) => Condition): Condition {
  if (!/^[A-Za-z0-9_@.-]+$/.test(field)) throw new RangeError('not a field name');
  const paths = [`$."${field}"`];
  if (field.includes('.'))
    paths.push(
      `$.${field
        .split('.')
        .map((key) => `"${key}"`)
        .join('.')}`,
    );
  return anyOf(
    paths.map((path) =>
      condition(
        // null, objects and arrays are no values, as in the matcher.
        `(CASE WHEN json_type(fields, '${path}') NOT IN ('NULL', 'OBJECT', 'ARRAY') THEN json_extract_string(fields, '${path}') END)`,
      ),
    ),
  );
}
