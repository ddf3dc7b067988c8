/**
 * Log text is hostile: it may hold terminal escapes, characters that turn the reading direction, or characters nobody
 * sees. Every viewer (console, command line, browser) shows text through `visibleText`, so that what is there is seen
 * and nothing acts.
 */

/** C0 but tab, DEL, C1, soft hyphen, bidi and zero-width characters, line separators, tags, lone surrogates. */
const HIDDEN =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|\u034f|\u17b4|\u17b5|[\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;
const ANY_HIDDEN = new RegExp(HIDDEN.source, 'u');

export interface VisibleOptions {
  /** True where the text may take several lines, as in an expanded view: `\n` stays, `\r\n` becomes `\n`. */
  keepNewlines?: boolean;
}

/** The text with every hidden or acting character as a glyph (`␛`, `␊`) or an escape (`\u202e`). Tabs stay. */
export function visibleText(text: string, options: VisibleOptions = {}): string {
  if (!ANY_HIDDEN.test(text)) return text;
  if (options.keepNewlines !== true) return text.replace(HIDDEN, glyph);
  return text.replaceAll('\r\n', '\n').replace(HIDDEN, (char) => (char === '\n' ? char : glyph(char)));
}

/** Matches each character that `visibleText` makes visible, but line ends: for editors, which draw these marks themselves. */
export function hiddenCharacters(): RegExp {
  return new RegExp(`(?!\\n)(?:${HIDDEN.source})`, 'gu');
}

/** True when `visibleText` would change the text. */
export function hasHiddenText(text: string): boolean {
  return ANY_HIDDEN.test(text);
}

function glyph(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  // U+2400.. are the pictures of C0, in order; U+2421 is the one of DEL.
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
