import { describe, expect, test } from 'vitest';
import { hasHiddenText, visibleText } from './visible-text.ts';

const ACTING = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b-\u200f]/;

describe('visibleText', () => {
  test('ordinary text, accents, emoji and tabs stay as they are', () => {
    for (const text of ['plain', 'naïve Grüße 日本', 'tab\there', '😀 ok', '']) {
      expect(visibleText(text)).toBe(text);
      expect(hasHiddenText(text)).toBe(false);
    }
  });
  test('controls become their pictures', () => {
    expect(visibleText('a\u001b[31mred\u0000\u007f\r\n')).toBe('a␛[31mred␀␡␍␊');
  });
  test('C1, bidi, zero-width, separators, tags and lone surrogates become escapes', () => {
    expect(visibleText('\u009b31m')).toBe('\\u009b31m');
    expect(visibleText('abc\u202egnp.exe')).toBe('abc\\u202egnp.exe');
    expect(visibleText('a\u200bb\ufeff\u2028\u0085')).toBe('a\\u200bb\\ufeff\\u2028\\u0085');
    expect(visibleText('\u{e0041}')).toBe('\\u{e0041}');
    expect(visibleText('x\ud800y')).toBe('x\\ud800y');
  });
  test('every single character of the basic plane comes out harmless', () => {
    for (let code = 0; code <= 0xffff; code += 1) {
      const shown = visibleText(String.fromCharCode(code));
      if (ACTING.test(shown)) throw new Error(`U+${code.toString(16)} came through`);
    }
  });
  test('newlines may stay where the view has several lines', () => {
    expect(visibleText('a\r\nb\nc\u001b', { keepNewlines: true })).toBe('a\nb\nc␛');
  });
});
