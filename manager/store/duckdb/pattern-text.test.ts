import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import { patternText } from './pattern-text.ts';

it('writes named groups in the form that the database knows, and nothing else', () => {
  const known: [string, string][] = [
    ['(?<n>x)', '(?P<n>x)'],
    ['a(?P<n>x)', 'a(?P<n>x)'],
    ['\\(?<n>', '\\(?<n>'],
    ['[(?<n>]', '[(?<n>]'],
    ['[](?<n>](?<n>x)', '[](?<n>](?P<n>x)'],
    ['[[:alpha:](?<]', '[[:alpha:](?<]'],
    ['\\Q(?<n>\\E(?<n>x)', '\\Q(?<n>\\E(?P<n>x)'],
    ['\\\\(?<n>x)', '\\\\(?P<n>x)'],
  ];
  for (const [source, text] of known) expect(patternText(source, { ignoreCase: false, at: 0 })).toBe(text);
});

it('refuses what the live view refuses', () => {
  for (const source of ['\\C', '(?P<\u00e9>x)', '(?=x)', '(?<n>x)(?<n>y)'])
    expect(() => patternText(source, { ignoreCase: false, at: 0 })).toThrow(/could not be read/);
});

it('means the same to the database, whatever the pattern is made of', async () => {
  const pieces = [
    '(?<n>',
    '(?P<m>',
    '(?:',
    '(?i)',
    ')',
    '[',
    '[^',
    ']',
    '\\Q',
    '\\E',
    '\\',
    '(?<',
    'a',
    'B',
    '<',
    '>',
    '?',
  ];
  pieces.push('+', '{2}', '|', '^', '$', '.', '\\d', '\\pL', '[:alpha:]', '-', '\u212a', 'k');
  const texts = ['', 'a', 'aB', '(?<n>a', 'k\u212a', '<a>', 'ba\n1', '[^]'];
  let state = 11;
  const random = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  let compared = 0;
  for (let round = 0; round < 1_500; round += 1) {
    const source = Array.from({ length: 1 + random(6) }, () => pieces[random(pieces.length)]!).join('');
    const options = { ignoreCase: random(2) === 0, at: 0 };
    let test: (text: string) => boolean;
    try {
      test = re2Engine(source, options);
    } catch {
      continue;
    }
    const flags = options.ignoreCase ? ", 'i'" : '';
    const list = texts.map(() => `regexp_matches(?, ?${flags})`).join(', ');
    const pattern = patternText(source, options);
    const values = texts.flatMap((text) => [text, pattern]);
    const [row] = (await connection.runAndReadAll(`SELECT ${list}`, values)).getRows();
    expect(row, source).toEqual(texts.map(test));
    compared += 1;
  }
  connection.closeSync();
  instance.closeSync();
  expect(compared).toBeGreaterThan(300);
});
