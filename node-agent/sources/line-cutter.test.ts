import { expect, test } from 'vitest';
import { type CutState, createLineCutter } from './line-cutter.ts';

/** Cuts the bytes in chunks of every size, each time from where the last chunk left off, as a restart does. */
function cut(bytes: Buffer, chunk: number, cap: number, restart: boolean): { lines: string[]; state: CutState } {
  const state: CutState = { offset: 0, skipping: false };
  const lines: string[] = [];
  const give = (text: string) => lines.push(text);
  let cutter = createLineCutter(state, cap, give);
  for (let from = 0; from < bytes.length; ) {
    const end = Math.min(bytes.length, from + chunk);
    cutter.take(bytes.subarray(restart ? state.offset : from, end));
    if (restart) cutter = createLineCutter(state, cap, give);
    from = end;
  }
  return { lines, state };
}

test.each([1, 2, 3, 7, 1000])('chunks of %i give the same lines, also over restarts', (chunk) => {
  const bytes = Buffer.from('one\r\n\nzwö 😀\nlast without end');
  for (const restart of [false, true]) {
    const { lines, state } = cut(bytes, chunk, 100, restart);
    expect(lines).toEqual(['one', '', 'zwö 😀']);
    expect(bytes.subarray(state.offset).toString()).toBe('last without end');
  }
});

test.each([1, 5, 1000])(
  'a line over the cap is given once, marked, never in the middle of a character (chunks of %i)',
  (chunk) => {
    const bytes = Buffer.from(`${'ä'.repeat(50)}\nnext\n${'x'.repeat(30)}`);
    for (const restart of [false, true]) {
      const { lines, state } = cut(bytes, chunk, 21, restart);
      expect(lines).toEqual([`${'ä'.repeat(10)} … [line cut here]`, 'next', `${'x'.repeat(21)} … [line cut here]`]);
      expect(state).toEqual({ offset: bytes.length, skipping: true });
    }
  },
);

test('any bytes are taken', () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x0a, 0xc3, 0x0a, 0x00, 0x1b, 0x5b, 0x0a, 0xed, 0xa0, 0x80, 0x0a]);
  expect(cut(bytes, 1, 100, true).lines).toEqual(['\ufffd\ufffd', '\ufffd', '\u0000\u001b[', '\ufffd\ufffd\ufffd']);
});
