/** Where reading stands. Kept across restarts; `offset` is always the start of a line, or inside one being skipped. */
export interface CutState {
  offset: number;
  /** Inside a line whose beginning was already given out. */
  skipping: boolean;
}

const NEWLINE = 0x0a;
const CUT_MARK = ' … [line cut here]';

/**
 * Cuts bytes into lines. A line over the cap is given out once, cut and marked, and the rest of it is passed over.
 * Any bytes are taken: what is not UTF-8 becomes replacement characters.
 */
export function createLineCutter(state: CutState, capBytes: number, give: (text: string) => void) {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let held: Buffer = Buffer.alloc(0);

  function text(bytes: Buffer): string {
    const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    return decoder.decode(bytes.subarray(0, end));
  }

  return {
    /** Takes the bytes that follow what was taken before. */
    take(bytes: Buffer): void {
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
        const line = Buffer.concat([held, bytes.subarray(from, at)]);
        if (!state.skipping) give(line.length > capBytes ? text(whole(line, capBytes)) + CUT_MARK : text(line));
        state.offset += line.length + 1;
        state.skipping = false;
        held = Buffer.alloc(0);
        from = at + 1;
      }
      held = Buffer.concat([held, bytes.subarray(from)]);
      if (!state.skipping && held.length <= capBytes) return;
      if (!state.skipping) give(text(whole(held, capBytes)) + CUT_MARK);
      state.skipping = true;
      state.offset += held.length;
      held = Buffer.alloc(0);
    },
  };
}

/** At most `cap` bytes, not ending inside a character. */
function whole(bytes: Buffer, cap: number): Buffer {
  let end = cap;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
