import { expect, it } from 'vitest';
import { ansiRuns, withoutAnsi } from './ansi.ts';

it('leaves text without colours alone', () => {
  for (const text of ['plain', '\u001b[2J', '\u001b]8;;x\u0007']) expect(ansiRuns(text)).toBeNull();
});

it('cuts at colours, and shows everything else that acts as glyphs', () => {
  expect(ansiRuns('a\u001b[1;31mb\u202e\u001b[2Jc\u001b[0md')).toEqual([
    { text: 'a', classes: '' },
    { text: 'b\\u202e\u241b[2Jc', classes: 'ansi-bold ansi-f1' },
    { text: 'd', classes: '' },
  ]);
  expect(withoutAnsi('a\u001b[1;31mb\u001b[0m')).toBe('ab');
});

it('makes one of sixteen colours of whatever is asked for, and conceals nothing', () => {
  const classes = (code: string) => ansiRuns(`\u001b[${code}mx`)![0]!.classes;
  expect(classes('38;5;9')).toBe('ansi-f9');
  expect(classes('38;2;250;10;10')).toBe('ansi-f9');
  expect(classes('48:5:22')).toMatch(/^ansi-b\d+$/);
  expect(classes('8')).toBe('');
  expect(classes('38;5;999;1')).toBe('ansi-bold');
  expect(classes('999999999999;;;')).toBe('');
});

it('is bounded: a flood of colours ends in plain text, with none of it lost', () => {
  const runs = ansiRuns('\u001b[31mx\u001b[0my'.repeat(10_000))!;
  expect(runs.length).toBeLessThan(60);
  expect(
    runs
      .map(({ text }) => text)
      .join('')
      .replaceAll(/\u241b\[\d+m/g, ''),
  ).toBe('xy'.repeat(10_000));
});
