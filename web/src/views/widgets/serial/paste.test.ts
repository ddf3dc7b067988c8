import { expect, it } from 'vitest';
import { readPaste } from './paste.ts';

it('asks before several lines or much text, not before a word or a line with its end', () => {
  expect(readPaste('uptime')).toMatchObject({ text: 'uptime', lines: 1, ask: false });
  expect(readPaste('uptime\r\n')).toMatchObject({ text: 'uptime\n', lines: 1, ask: false });
  expect(readPaste('a\nb')).toMatchObject({ lines: 2, ask: true });
  expect(readPaste('x'.repeat(501))).toMatchObject({ lines: 1, ask: true, tooLong: false });
  expect(readPaste('x'.repeat(300_000)).tooLong).toBe(true);
});

it('takes control characters out, so that nothing hides in what is pasted', () => {
  expect(readPaste('ls\x1b[201~; \x03rm\x7f\x9b\r\n\tend').text).toBe('ls[201~; rm\n\tend');
});
