/** Text of this much, or with a line's end in its middle, is asked for before it is typed into a guest. */
const LARGE_CHARS = 500;
const LIMIT_CHARS = 256 * 1024;

export interface Pasted {
  text: string;
  lines: number;
  /** True where it should be asked before: lines run as commands at once. */
  ask: boolean;
  /** True when it is more than may be pasted. */
  tooLong: boolean;
}

/** What a clipboard holds, as it may be typed: without control characters, which only a trap has in it. */
export function readPaste(raw: string): Pasted {
  const text = raw.replaceAll('\r\n', '\n').replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
  const lines = text.replace(/\n+$/, '').split('\n').length;
  return { text, lines, ask: lines > 1 || text.length > LARGE_CHARS, tooLong: text.length > LIMIT_CHARS };
}
