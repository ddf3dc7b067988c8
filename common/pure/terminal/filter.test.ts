import { expect, it } from 'vitest';
import { createTerminalFilter } from './filter.ts';

const through = (...pieces: string[]) => {
  const filter = createTerminalFilter();
  return pieces.map(filter).join('');
};

it('lets through what draws', () => {
  for (const text of [
    'plain ünïcödé 😀\r\n\t\b\x07',
    '\x1b[31mred\x1b[0m \x1b[38;2;1;2;3mtrue\x1b[m',
    '\x1b[2J\x1b[10;20H\x1b[?1049h\x1b[?25l\x1b[6n\x1b7\x1b8\x1b(B\x1bc\x1b[!p',
  ])
    expect(through(text)).toBe(text);
});

it('drops strings to the terminal and orders about its window, whatever their form and their end', () => {
  for (const sequence of [
    '\x1b]52;c;b3duZWQ=\x07',
    '\x1b]0;title\x1b\\',
    '\x1b]8;;https://evil.example\x07',
    '\x1bP$qm\x1b\\',
    '\x1b_apc\x1b\\',
    '\x1b^pm\x1b\\',
    '\x1bXsos\x1b\\',
    '\x9d52;c;x\x9c',
    '\x90q\x9c',
    '\x9b',
    '\x1b[21t',
    '\x1b[8;50;100t',
    `\x1b[${'1;'.repeat(40)}`,
  ])
    expect(through(`a${sequence}b`).replace(/[;1]+b$/, 'b'), JSON.stringify(sequence)).toBe('ab');
});

it('does so when a sequence comes in pieces', () => {
  expect(through('a\x1b', ']52;', 'c;x', '\x1b', '\\b\x1b', '[3', '1mc')).toBe('ab\x1b[31mc');
});

it('goes on after a string that was broken off', () => {
  expect(through('\x1b]0;never ended\x1b[1mbold')).toBe('\x1b[1mbold');
  expect(through('\x1b]0;never ended\x18after')).toBe('after');
});
