import { WebvirtError } from '../../errors.ts';
import { LEVELS, SOURCES } from '../../model/line.ts';
import { fold } from './fold.ts';
import { isColumnField, LIMIT_QUERY_CHARACTERS, LIMIT_QUERY_TERMS, type Query, type Term } from './query.ts';
import { scan, type Token } from './scan.ts';

/**
 * Reads a filter such as `host:web1 level:error "timed out" -session:* /port \d+/i`. Words and "phrases" are looked for
 * in the message, `field:value` compares (with `*` as a wildcard), `-` turns a term round, all terms must hold.
 * Throws `bad-query` that says where and what to try; details carry `position`.
 */
export function parseQuery(text: string): Query {
  if (text.length > LIMIT_QUERY_CHARACTERS) {
    fault(LIMIT_QUERY_CHARACTERS, `it is longer than ${LIMIT_QUERY_CHARACTERS} characters; look for less at once`);
  }
  const tokens = scan(text);
  if (tokens.length > LIMIT_QUERY_TERMS) {
    fault(tokens[LIMIT_QUERY_TERMS]!.at, `it has more than ${LIMIT_QUERY_TERMS} terms; look for less at once`);
  }
  return { terms: tokens.map(termOf) };
}

function termOf(token: Token): Term {
  switch (token.kind) {
    case 'fault':
      return fault(token.at, token.message);
    case 'regex':
      return {
        kind: 'regex',
        source: token.value,
        ignoreCase: token.ignoreCase,
        not: token.not,
        at: token.at,
      };
    case 'word':
      return token.field === null ? textTerm(token.value, token.not, token.at) : fieldTerm(token, token.field);
  }
}

function textTerm(value: string, not: boolean, at: number): Term {
  if (value === '') fault(at, 'there is nothing between the quotation marks; write what to look for');
  return { kind: 'text', text: fold(value), not };
}

function fieldTerm(token: Token & { kind: 'word' }, field: string): Term {
  const { value, not, at } = token;
  const lower = field.toLowerCase();
  const name = lower === 'host' || isColumnField(lower) ? lower : field;
  if (value === '' && !token.quoted) {
    // `error: disk full` pasted from a log is text; `level:` is somebody who has not finished.
    if (name === 'host' || isColumnField(name)) fault(at, `${field}: needs a value, such as ${field}:${example(name)}`);
    return textTerm(`${field}:`, not, at);
  }
  if (value === '*' && !token.quoted) return { kind: 'present', field: name, not };
  const pieces = token.quoted ? [fold(value)] : fold(value).split(/\*+/);
  if (pieces.length === 1) {
    if (name === 'level') closed(field, pieces[0]!, LEVELS, at);
    if (name === 'source') closed(field, pieces[0]!, SOURCES, at);
  }
  return { kind: 'field', field: name, pieces, not };
}

function closed(field: string, value: string, values: readonly string[], at: number): void {
  if (!values.includes(value)) fault(at, `there is no ${field} "${value}"; try ${values.join(', ')}`);
}

function example(field: string): string {
  if (field === 'level') return 'error';
  if (field === 'source') return 'qemu';
  return field === 'host' ? 'NAME-OR-ID' : 'VALUE';
}

function fault(position: number, what: string): never {
  throw new WebvirtError('bad-query', `The filter could not be read at character ${position + 1}: ${what}`, {
    position,
  });
}
