/** One line of a terminal that is written over and over. */
export interface LiveLine {
  /** Shows a text in the place of the last one. Where there is no terminal each different `heading` is a line. */
  show(text: string, heading: string): void;
  /** Takes the line away, before something else is printed. */
  clear(): void;
}

const ERASE = '\r\x1b[2K';

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
      stream.write(`${ERASE}${[...text].slice(0, Math.max(20, stream.columns ?? 80) - 1).join('')}`);
      shown = true;
    },
    clear() {
      if (shown) stream.write(ERASE);
      shown = false;
    },
  };
}
