import { describe, expect, it } from 'vitest';
import { createFrameReader, frameOf, LIMIT_FRAME_BYTES } from './frames.ts';

/** Small, seeded, the same everywhere. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe('messages of the compute server (L20)', () => {
  it('come whole however they are cut, and one that breaks off is none', () => {
    const next = random(7);
    const texts = ['', 'plain', 'ä€😀', '\ud800', '\0\r\n', 'x'.repeat(3_000)];
    for (let round = 0; round < 2_000; round += 1) {
      const messages = Array.from({ length: 1 + next(5) }, (_, n) => ({ n, text: texts[next(texts.length)] }));
      const bytes = Buffer.concat(messages.map(frameOf));
      // Its sender dies somewhere: also within the length, or within a character.
      const end = next(3) === 0 ? next(bytes.length + 1) : bytes.length;
      const read = createFrameReader();
      const got: unknown[] = [];
      for (let at = 0; at < end; ) {
        const size = 1 + next(next(2) === 0 ? 6 : 4_000);
        got.push(...read(bytes.subarray(at, Math.min(end, at + size))));
        at += size;
      }
      let whole = 0;
      for (let at = 0; whole < messages.length; whole += 1) {
        at += frameOf(messages[whole]).length;
        if (at > end) break;
      }
      expect(JSON.stringify(got)).toBe(JSON.stringify(messages.slice(0, whole)));
    }
  });

  it('of noise are an error that ends the connection, before anything is kept of it', () => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(LIMIT_FRAME_BYTES + 1);
    expect(() => createFrameReader()(head)).toThrow(/above the limit/);
    expect(() => createFrameReader()(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toThrow(/above the limit/);
    expect(() => createFrameReader()(Buffer.from([0, 0, 0, 2, 0x7b, 0xff]))).toThrow();
    expect(createFrameReader()(Buffer.alloc(3))).toEqual([]);
  });
});
