import { hasHiddenText } from '../../common/pure/visible-text.ts';

/**
 * A value as JSON that a terminal may show: what would steer it or hide text is spelled `\\u009b`. It is the same value
 * for whoever parses it.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/[^\n\u0020-\u007e]/gu, (letter) =>
    hasHiddenText(letter)
      ? Array.from({ length: letter.length }, (_, i) => escaped(letter.charCodeAt(i))).join('')
      : letter,
  );
}

const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;
