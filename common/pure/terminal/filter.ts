const ESC = '\x1b';
/** Sequences that carry a string: OSC, DCS, SOS, PM, APC. */
const STRING_STARTS = new Set([']', 'P', 'X', '^', '_']);
const LIMIT_SEQUENCE_CHARS = 64;

/**
 * Lets text of a guest through to a real terminal, without what a terminal does beyond drawing: strings to it (titles,
 * links, the clipboard, device control), orders about its window, and the one-byte forms of such sequences. Colours,
 * movements and screens stay. Call it with each piece in turn; it holds back at most the beginning of a sequence.
 */
export function createTerminalFilter(): (text: string) => string {
  let state: 'text' | 'escape' | 'sequence' | 'string' | 'string-escape' = 'text';
  let held = '';

  function next(char: string): string {
    const code = char.charCodeAt(0);
    switch (state) {
      case 'text':
        if (char === ESC) state = 'escape';
        else if (code < 0x80 || code > 0x9f) return char;
        // The forms of one byte: OSC, DCS, SOS, PM and APC begin a string, the rest is dropped.
        else if ('\x9d\x90\x98\x9e\x9f'.includes(char)) state = 'string';
        return '';
      case 'escape':
        if (char === ESC) return '';
        if (char === '[') {
          state = 'sequence';
          held = '';
          return '';
        }
        state = STRING_STARTS.has(char) ? 'string' : 'text';
        return state === 'string' ? '' : ESC + char;
      case 'sequence':
        return sequence(char, code);
      case 'string':
        if (char === ESC) state = 'string-escape';
        else if (char === '\x07' || char === '\x9c' || char === '\x18' || char === '\x1a') state = 'text';
        return '';
      case 'string-escape':
        state = char === '\\' ? 'text' : 'escape';
        return state === 'text' ? '' : next(char);
    }
  }

  function sequence(char: string, code: number): string {
    if (char === ESC) {
      state = 'escape';
      return '';
    }
    // Control characters within a sequence do what they always do.
    if (code < 0x20) return char;
    held += char;
    if (code < 0x40 && held.length < LIMIT_SEQUENCE_CHARS) return '';
    state = 'text';
    return code < 0x40 || code > 0x7e || char === 't' ? '' : `${ESC}[${held}`;
  }

  return (text) => {
    let out = '';
    for (const char of text) out += next(char);
    return out;
  };
}
