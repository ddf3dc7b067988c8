/** A line, or the beginning of one that was too long, with where reading goes on behind it. */
export interface Cut {
  text: string;
  /** True when the line was too long: `text` ends with the mark, and the rest of it is passed over. */
  isCut: boolean;
  /** First byte behind it; inside the line while `skipping`. */
  offset: number;
  skipping: boolean;
  /** The last bytes before `offset`, at most `BACK_BYTES`: by them the place is known again. */
  back: Buffer;
}

export interface CutterOptions {
  capBytes: number;
  /** The text of a terminal: of a line that is written over with \r only the last state counts, also beyond the cap. */
  rewrites?: boolean;
}

export const BACK_BYTES = 64;
export const CUT_MARK = ' … [line cut here]';
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const NONE = Buffer.alloc(0);

/**
 * Cuts bytes into lines, from `start` on. A line over the cap is given out once, cut and marked, and the rest of it is
 * passed over. Any bytes are taken: what is not UTF-8 becomes replacement characters. Of zero bytes before a line one is kept: a
 * crash leaves them, or a writer that goes on at its old place in a file that was emptied. Holds at most the cap and a chunk.
 */
export function createLineCutter(
  start: { offset: number; skipping: boolean },
  { capBytes, rewrites = false }: CutterOptions,
  give: (cut: Cut) => void,
) {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let held: Buffer = NONE;
  /** Behind the last byte that was taken. */
  let taken = start.offset;
  let skipping = start.skipping;

  function decode(bytes: Buffer): string {
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    return decoder.decode(bytes.subarray(0, end));
  }

  function giveWhole(line: Buffer, offset: number, back: Buffer): void {
    const isCut = line.length > capBytes;
    const text = isCut ? decode(whole(line, capBytes)) + CUT_MARK : decode(line);
    give({ text, isCut, offset, skipping: false, back: back.subarray(-BACK_BYTES) });
  }

  return {
    /** Takes the bytes that follow what was taken before. */
    take(bytes: Buffer): void {
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
        const rest = oneZero(bytes.subarray(from, at + 1), held);
        const raw = held.length === 0 ? rest : Buffer.concat([held, rest]);
        if (!skipping)
          giveWhole(rewrites ? lastState(raw.subarray(0, -1), capBytes) : raw.subarray(0, -1), taken + at + 1, raw);
        skipping = false;
        held = NONE;
        from = at + 1;
      }
      taken += bytes.length;
      if (skipping) return;
      // A copy: a short rest must not keep the whole chunk.
      held = Buffer.concat([held, oneZero(bytes.subarray(from), held)]);
      if (held.length <= capBytes) return;
      if (rewrites) held = lastState(held, capBytes);
      if (held.length <= capBytes) return;
      const back = held.subarray(-BACK_BYTES);
      skipping = true;
      give({ text: decode(whole(held, capBytes)) + CUT_MARK, isCut: true, offset: taken, skipping, back });
      held = NONE;
    },
    /** True while the beginning of a line is held. */
    isHolding: () => held.length > 0,
    /** True when what is held is being written over, as progress is. */
    isRewritten: () => held.indexOf(RETURN) >= 0 && held.indexOf(RETURN) < held.length - 1,
    /** Gives what is held as a line of its own. */
    flush(): void {
      if (held.length === 0) return;
      const line = held;
      held = NONE;
      giveWhole(line, taken, line);
    },
  };
}

/** What follows `held`, with at most one of the zero bytes with which a line begins: the last one, beside its text. */
function oneZero(bytes: Buffer, held: Buffer): Buffer {
  const isBeginning = held.length === 0 || (held.length === 1 && held[0] === 0);
  if (!isBeginning || bytes[0] !== 0) return bytes;
  let end = 1;
  while (bytes[end] === 0) end += 1;
  return bytes.subarray(held.length === 0 ? end - 1 : end);
}

/** Of a line over the cap: what was last written over it. */
function lastState(line: Buffer, capBytes: number): Buffer {
  if (line.length <= capBytes) return line;
  const end = line.at(-1) === RETURN ? line.length - 1 : line.length;
  const at = line.subarray(0, end).lastIndexOf(RETURN);
  return at < 0 ? line : line.subarray(at + 1);
}

/** At most `cap` bytes, not ending inside a character. */
function whole(bytes: Buffer, cap: number): Buffer {
  let end = cap;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
