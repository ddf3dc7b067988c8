/** One line of a terminal that is written over and over. */
export interface LiveLine {
  /** Shows a text in the place of the last one. Where there is no terminal each different `heading` is a line. */
  show(text: string, heading: string): void;
  /** Takes the line away, before something else is printed. */
  clear(): void;
}

const ERASE = '\r\x1b[2K';
/** A terminal that does not know its width says 0. */
const DEFAULT_COLUMNS = 80;

/** The line of a stream; the text must have passed `visibleText`. It is cut to the width: a wrapped one cannot be erased. */
export function createLiveLine(stream: NodeJS.WriteStream): LiveLine {
  let shown = false;
  let lastHeading = '';
  return {
    show(text, heading) {
      if (stream.isTTY !== true) {
        if (heading !== lastHeading) stream.write(`${text}\n`);
        lastHeading = heading;
        return;
      }
      stream.write(`${ERASE}${[...text].slice(0, (stream.columns || DEFAULT_COLUMNS) - 1).join('')}`);
      shown = true;
    },
    clear() {
      if (shown) stream.write(ERASE);
      shown = false;
    },
  };
}
