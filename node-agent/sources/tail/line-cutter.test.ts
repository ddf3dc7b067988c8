import { expect, test } from 'vitest';
import { type Cut, createLineCutter } from './line-cutter.ts';

/** Cuts the bytes in chunks of a size; with `restart` each time from where the last line left off, as a new start does. */
function cut(bytes: Buffer, chunk: number, cap: number, restart: boolean, rewrites = false) {
  const options = { capBytes: cap, rewrites };
  const lines: string[] = [];
  let state = { offset: 0, skipping: false };
  const give = ({ text, offset, skipping, back }: Cut) => {
    lines.push(text);
    state = { offset, skipping };
    expect(bytes.subarray(offset - back.length, offset).equals(back)).toBe(true);
  };
  let cutter = createLineCutter(state, options, give);
  for (let from = 0; from < bytes.length; ) {
    const end = Math.min(bytes.length, from + chunk);
    if (restart) cutter = createLineCutter(state, options, give);
    cutter.take(bytes.subarray(restart ? state.offset : from, end));
    from = end;
  }
  return { lines, state, flush: () => cutter.flush() };
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
      expect(state).toMatchObject({ skipping: true });
    }
  },
);

test('any bytes are taken', () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x0a, 0xc3, 0x0a, 0x00, 0x1b, 0x5b, 0x0a, 0xed, 0xa0, 0x80, 0x0a]);
  expect(cut(bytes, 1, 100, true).lines).toEqual(['\ufffd\ufffd', '\ufffd', '\u0000\u001b[', '\ufffd\ufffd\ufffd']);
});

test.each([1, 7, 1_000])('zero bytes before a line do not hide it, however many (chunks of %i)', (chunk) => {
  const bytes = Buffer.concat([
    ...[Buffer.from('one\n'), Buffer.alloc(3_000), Buffer.from('two\n\0three\n')],
    ...[Buffer.alloc(40), Buffer.from(`${'x'.repeat(80)}\n`)],
  ]);
  for (const restart of [false, true])
    expect(cut(bytes, chunk, 100, restart).lines).toEqual(['one', '\0two', '\0three', `\0${'x'.repeat(80)}`]);
});

test('100 MB without a newline are one marked line, and cost the cap', () => {
  const lines: string[] = [];
  const cutter = createLineCutter({ offset: 0, skipping: false }, { capBytes: 100 }, ({ text }) => lines.push(text));
  const chunk = Buffer.alloc(1024 * 1024, 'a\u0000');
  for (let n = 0; n < 100; n += 1) cutter.take(chunk);
  expect(cutter.isHolding()).toBe(false);
  cutter.take(Buffer.from('\nnext\n'));
  expect(lines.length).toBe(2);
  expect(lines[1]).toBe('next');
});

test('of what a terminal writes over itself only the last state counts, however long it goes on', () => {
  const progress = Array.from({ length: 500 }, (_, n) => `\r${n} of 500`).join('');
  const bytes = Buffer.from(`start${progress}\r\nnext\n`);
  for (const chunk of [1, 7, 10_000]) expect(cut(bytes, chunk, 64, false, true).lines.at(-1)).toBe('next');
  const [first, ...rest] = cut(bytes, 50, 64, false, true).lines;
  expect(first?.endsWith('499 of 500')).toBe(true);
  expect(rest).toEqual(['next']);
});

/** Small, seeded, the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

// RELIABILITY L20: whatever the bytes and however they come, lines are those of the whole, and a restart anywhere repeats none.
test('any bytes in any chunks: the same lines as in one piece, none over the cap, none twice after a restart', () => {
  const next = random(20);
  const alphabet = [0x0a, 0x0a, 0x0d, 0x00, 0x61, 0xc3, 0xa4, 0xf0, 0x9f, 0x98, 0x80, 0xff, 0x1b, 0xed, 0xa0];
  for (let round = 0; round < 3_000; round += 1) {
    const bytes = Buffer.from(
      Array.from({ length: Math.floor(next() * 120) }, () => alphabet[Math.floor(next() * alphabet.length)]!),
    );
    const cap = 4 + Math.floor(next() * 40);
    const whole = cut(bytes, bytes.length || 1, cap, false).lines;
    const chunk = 1 + Math.floor(next() * 20);
    expect(cut(bytes, chunk, cap, false).lines).toEqual(whole);
    expect(cut(bytes, chunk, cap, true).lines).toEqual(whole);
    for (const line of whole) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(3 * cap + 30);
  }
});
