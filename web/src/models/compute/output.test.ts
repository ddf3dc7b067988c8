import { describe, expect, it } from 'vitest';
import { CellOutput } from './cell-output.ts';
import { latexOf, shownOf } from './mime.ts';
import { TextRun } from './text-run.ts';

const run = (...pieces: string[]) => {
  const text = new TextRun();
  for (const piece of pieces) text.append(piece);
  return text;
};

describe('written text', () => {
  it('makes hidden and acting characters visible', () => {
    expect(run('a\u001b[31mb\u202ec\u0000\n').text).toBe('a␛[31mb\\u202ec␀\n');
  });

  it('writes over the line at a carriage return, also across pieces', () => {
    expect(run('10 %', '\r', '55 %', '\rdone\n', 'next\r\nlast').text).toBe('done\nnext\nlast');
    expect(run('abcdef\rxy').text).toBe('xycdef');
    expect(run('line\r', '\nnext').text).toBe('line\nnext');
  });

  it('holds the beginning and the end of a flood and counts the rest', () => {
    const text = new TextRun();
    let written = 0;
    for (let i = 0; i < 100_000; i += 1) {
      const line = `line ${i}\n`;
      written += line.length;
      text.append(line);
    }
    expect(text.head.startsWith('line 0\n')).toBe(true);
    expect(text.end.endsWith('line 99999\n')).toBe(true);
    expect(text.tail.startsWith('line ')).toBe(true);
    expect(text.cut + text.text.length).toBe(written);
    expect(text.text.length).toBeLessThan(200_000);
  });

  it('bounds one line without an end', () => {
    const text = new TextRun();
    for (let i = 0; i < 40; i += 1) text.append('x'.repeat(100_000));
    expect(text.cut + text.text.length).toBe(4_000_000);
    expect(text.text.length).toBeLessThan(300_000);
  });
});

describe('output of a cell', () => {
  it('joins pieces of one stream and keeps the order of the two', () => {
    const output = new CellOutput();
    for (const [type, text] of [
      ['stdout', 'a'],
      ['stdout', 'b'],
      ['stderr', 'c'],
      ['stdout', 'd'],
    ] as const)
      output.take({ type, cell: 1, text });
    expect(output.parts.map((part) => part.kind === 'text' && [part.stream, part.run.text])).toEqual([
      ['stdout', 'ab'],
      ['stderr', 'c'],
      ['stdout', 'd'],
    ]);
  });

  it('counts parts that are too many, and keeps the first and the latest', () => {
    const output = new CellOutput();
    for (let i = 0; i < 1_000; i += 1) output.take({ type: 'display', cell: 1, data: { 'text/plain': String(i) } });
    const texts = output.parts.map((part) => part.kind === 'data' && part.data['text/plain']);
    expect([output.parts.length, output.hidden]).toEqual([400, 600]);
    expect([texts[0], texts[199], texts[200], texts.at(-1)]).toEqual(['0', '199', '800', '999']);
  });
});

describe('a result', () => {
  it('is a picture before words, LaTeX where it is wanted, HTML never', () => {
    const plain = { 'text/plain': 'x^2', 'text/latex': '$\\displaystyle x^{2}$', 'text/html': '<b>x</b>' };
    expect(shownOf({ ...plain, 'image/png': 'AA', 'image/svg+xml': '<svg/>' }, false)).toMatchObject({ as: 'png' });
    expect(shownOf(plain, false)).toEqual({ as: 'text', text: 'x^2', latex: '\\displaystyle x^{2}' });
    expect(shownOf(plain, true)).toEqual({ as: 'latex', source: '\\displaystyle x^{2}', text: 'x^2' });
    expect(shownOf({ 'text/html': '<script>' }, true)).toEqual({ as: 'html', source: '<script>' });
    const opaque = { 'text/html': '<b>', 'text/plain': '<IPython.core.display.HTML object>' };
    expect(shownOf(opaque, false)).toEqual({ as: 'html', source: '<b>' });
    expect(shownOf(JSON.parse('{"__proto__": "x", "text/x": "y"}'), true)).toMatchObject({ as: 'unknown' });
  });

  it('loses the signs around its LaTeX and nothing else', () => {
    expect(
      ['$$a$$', '\\[a\\]', '\\(a\\)', '$a$', 'a', '\\begin{x}a\\end{x}'].map((t) => latexOf({ 'text/latex': t })),
    ).toEqual([...['a', 'a', 'a', 'a', 'a', '\\begin{x}a\\end{x}']]);
    const show = '<html><script type="math/tex; mode=display">\\frac{1}{x < 2}</script></html>';
    expect(latexOf({ 'text/html': show })).toBe('\\frac{1}{x < 2}');
    expect(latexOf({ 'text/html': `${show}<b>more</b>` })).toBeNull();
    expect(latexOf({})).toBeNull();
  });
});
