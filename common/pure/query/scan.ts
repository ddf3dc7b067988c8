/** One piece of a query's text as it was written. `at` is where it starts. */
export type Token =
  | { kind: 'word'; value: string; quoted: boolean; field: string | null; not: boolean; at: number }
  | { kind: 'regex'; value: string; ignoreCase: boolean; not: boolean; at: number }
  | { kind: 'fault'; at: number; message: string };

const BLANK = /\s/;
const FIELD = /^([A-Za-z_@][A-Za-z0-9_@-]*(?:\.[A-Za-z0-9_@-]+)*):(?!\/\/)/;
/** A pattern ends at the first slash that is not escaped, and only when a blank or the end follows: `/var/log` is a path. */
const REGEX = /^\/((?:[^/\\]|\\[\s\S])+)\/(i?)(?=\s|$)/;

/** Cuts the text into tokens. Stops at the first fault. */
export function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (BLANK.test(text[at]!)) {
      at += 1;
      continue;
    }
    const start = at;
    const next = text[at + 1];
    const not = text[at] === '-' && next !== undefined && !BLANK.test(next);
    if (not) at += 1;
    const regex = REGEX.exec(text.slice(at));
    if (regex !== null) {
      tokens.push({ kind: 'regex', value: unescapeSlash(regex[1]!), ignoreCase: regex[2] === 'i', not, at: start });
      at += regex[0].length;
      continue;
    }
    const named = FIELD.exec(text.slice(at));
    const field = named?.[1] ?? null;
    const valueAt = at + (named?.[0].length ?? 0);
    const value = readValue(text, valueAt);
    if ('fault' in value) {
      tokens.push({ kind: 'fault', at: valueAt, message: value.fault });
      return tokens;
    }
    tokens.push({ kind: 'word', value: value.text, quoted: value.quoted, field, not, at: start });
    at = value.end;
  }
  return tokens;
}

function unescapeSlash(pattern: string): string {
  return pattern.replaceAll(/\\([\s\S])/g, (whole, character: string) => (character === '/' ? '/' : whole));
}

type Value = { text: string; quoted: boolean; end: number } | { fault: string };

function readValue(text: string, from: number): Value {
  if (text[from] !== '"') {
    let end = from;
    while (end < text.length && !BLANK.test(text[end]!)) end += 1;
    return { text: text.slice(from, end), quoted: false, end };
  }
  let out = '';
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '"') return { text: out, quoted: true, end: at + 1 };
    const next = text[at + 1];
    if (character === '\\' && (next === '"' || next === '\\')) {
      out += next;
      at += 1;
    } else out += character;
  }
  return { fault: 'this quotation mark has no second one; close it, or write \\" for the character itself' };
}
