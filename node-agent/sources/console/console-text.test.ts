import { expect, test } from 'vitest';
import { consoleText } from './console-text.ts';

test.each([
  ['plain text', 'plain text'],
  ['with tab\tand trailing \r', 'with tab\tand trailing'],
  ['  0%\r 50%\r100% done', '100% done'],
  ['\x1b[2K\r\x1b[1;1Hmoved', 'moved'],
  ['\x1b[0;32m  OK  \x1b[0m Started it', '\x1b[0;32m  OK  \x1b[0m Started it'],
  ['helo\b\bllo', 'hello'],
  ['title \x1b]0;evil\x07gone', 'title gone'],
  ['\x1b[?25l\x1b[31m\x1b[0m', ''],
  ['\x1bcreset \x07bell\x00', 'reset bell'],
  ['\x1b[6n\x1b[c asks', ' asks'],
  ['ends in \x1b', 'ends in'],
])('%j is read as %j', (raw, text) => {
  expect(consoleText(raw)).toBe(text);
});
