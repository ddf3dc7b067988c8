import { re2Engine } from '../../../common/pure/query/re2-engine.ts';

/**
 * A pattern as the database reads it. Its RE2 is older than that of the live view: named groups have one form only, and
 * it reads some things that the other refuses. Throws `bad-query` on a pattern that the live view cannot read.
 */
export function patternText(source: string, options: { ignoreCase: boolean; at: number }): string {
  re2Engine(source, options);
  if (!source.includes('(?<')) return source;
  let text = '';
  let inClass = false;
  for (let i = 0; i < source.length; i += 1) {
    const c = source[i]!;
    if (source.startsWith('\\Q', i)) {
      const end = source.indexOf('\\E', i);
      const to = end < 0 ? source.length : end + 2;
      text += source.slice(i, to);
      i = to - 1;
    } else if (c === '\\') {
      text += source.slice(i, i + 2);
      i += 1;
    } else if (!inClass && source.startsWith('(?<', i)) {
      text += '(?P<';
      i += 2;
    } else {
      if (!inClass && c === '[') {
        inClass = true;
        // A bracket that stands first in a class is a member of it.
        const first = /^\[\^?\]?/.exec(source.slice(i))![0];
        text += first;
        i += first.length - 1;
      } else if (inClass && source.startsWith('[:', i) && source.indexOf(':]', i) > 0) {
        const to = source.indexOf(':]', i) + 2;
        text += source.slice(i, to);
        i = to - 1;
      } else {
        if (c === ']') inClass = false;
        text += c;
      }
    }
  }
  return text;
}
