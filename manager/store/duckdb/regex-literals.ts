/** Letters that an ignored case joins with others outside ASCII: K with the Kelvin sign, S with the long s. */
const FOLDS_OUTSIDE = /[ks]/i;

/**
 * Texts that every match of an RE2 pattern contains, in lower case. It knows only what is plain: where it is not sure
 * it answers less, never more.
 */
export function regexLiterals(source: string, ignoreCase: boolean): string[] {
  // Flags, named groups and quotings change what follows: nothing is promised then.
  if (source.includes('(?') || source.includes('\\Q')) return [];
  const literals: string[] = [];
  let current = '';
  const end = () => {
    if (current.length >= 3) literals.push(current.toLowerCase());
    current = '';
  };
  for (let i = 0; i < source.length; i += 1) {
    const c = source[i]!;
    if (c === '|') return [];
    if (c === '(' || c === '[') {
      const close = c === '(' ? endOfGroup(source, i) : endOfClass(source, i);
      if (close < 0) return [];
      end();
      i = close;
    } else if (c === '*' || c === '?' || c === '{') {
      current = current.slice(0, -1);
      end();
      if (c === '{') {
        const close = source.indexOf('}', i);
        if (close < 0) return [];
        i = close;
      }
    } else if (c === '+' || c === '.' || c === '^' || c === '$') end();
    else if (c === '\\') {
      const next = source[i + 1] ?? '';
      if (/[dDwWsSbB]/.test(next)) end();
      else if (/[^A-Za-z0-9]/.test(next) && next <= '\x7f') current += next;
      else return [];
      i += 1;
    } else if (c > '\x7f' || (ignoreCase && FOLDS_OUTSIDE.test(c))) end();
    else current += c;
  }
  end();
  return literals;
}

/** Index of the bracket that ends the class which begins at `at`; -1 when it is not plain. */
function endOfClass(source: string, at: number): number {
  // A bracket that stands first is a member of the class.
  let i = at + 1;
  if (source[i] === '^') i += 1;
  if (source[i] === ']') i += 1;
  for (; i < source.length; i += 1) {
    if (source[i] === '\\') i += 1;
    else if (source[i] === '[') return -1;
    else if (source[i] === ']') return i;
  }
  return -1;
}

function endOfGroup(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length; i += 1) {
    const c = source[i]!;
    if (c === '\\') i += 1;
    else if (c === '[') {
      i = endOfClass(source, i);
      if (i < 0) return -1;
    } else if (c === '(') depth += 1;
    else if (c === ')') {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}
