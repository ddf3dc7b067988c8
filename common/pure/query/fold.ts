const SPECIAL = /[\u0130\u03a3]/;
/** Capitals that Unicode got in its versions 16 and 17: some engines know their small letters and some do not. */
const NEWER = /([\u1c89\ua7cb\ua7cc\ua7ce\ua7d2\ua7d4\ua7da\ua7dc]|\ud803[\udd50-\udd65]|\ud81b[\udea0-\udeb8])/;

/**
 * Lower case for comparison, one character at a time, as the store's `lower` does it. JavaScript alone looks at the
 * neighbours of a Greek capital sigma and makes two characters of a Turkish capital I with dot, and it follows newer
 * versions of Unicode: the live view and the search of stored lines would then disagree. A test compares every character.
 */
export function fold(text: string): string {
  if (NEWER.test(text))
    return text
      .split(NEWER)
      .map((part, i) => (i % 2 === 1 ? part : fold(part)))
      .join('');
  if (SPECIAL.test(text)) return text.replaceAll('\u0130', 'i').replaceAll('\u03a3', '\u03c3').toLowerCase();
  return text.toLowerCase();
}
