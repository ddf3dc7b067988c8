import type { Frame } from '../../logging/spool/spool.ts';

/** The binary message of the link: one line of JSON with all headers, then the bodies one after another. */
export function linesMessage(frames: readonly Frame[]): Buffer {
  const head = JSON.stringify({ t: 'lines', frames: frames.map((frame) => frame.header) });
  return Buffer.concat([Buffer.from(`${head}\n`), ...frames.map((frame) => frame.body)]);
}
