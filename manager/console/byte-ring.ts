/** The newest bytes of a stream, up to a limit. */
export function createByteRing(limitBytes: number) {
  let chunks: Buffer[] = [];
  let size = 0;
  let cut = false;
  return {
    push(bytes: Buffer): void {
      chunks.push(bytes);
      size += bytes.length;
      while (size > limitBytes) {
        const oldest = chunks[0]!;
        const over = Math.min(size - limitBytes, oldest.length);
        if (over === oldest.length) chunks.shift();
        else chunks[0] = oldest.subarray(over);
        size -= over;
        cut = true;
      }
    },
    /** All that is kept. Where older bytes were lost it begins behind a line's end, so that no half character or escape sequence is shown. */
    read(): Buffer {
      // Parts of larger messages would keep these in memory.
      const all = Buffer.concat(chunks);
      chunks = all.length === 0 ? [] : [all];
      return cut ? all.subarray(all.indexOf(10) + 1) : all;
    },
    clear(): void {
      chunks = [];
      size = 0;
      cut = false;
    },
    get size() {
      return size;
    },
  };
}
