const SPECIAL = /[\u0130\u03a3]/;

/**
 * Lower case for comparison, one character at a time, as the store's `lower` does it. JavaScript alone looks at the
 * neighbours of a Greek capital sigma and makes two characters of a Turkish capital I with dot: the live view and the
 * search of stored lines would then disagree.
 */
export function fold(text: string): string {
  if (SPECIAL.test(text)) return text.replaceAll('\u0130', 'i').replaceAll('\u03a3', '\u03c3').toLowerCase();
  return text.toLowerCase();
}
