import { expect, it } from 'vitest';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import { addText, addTexts, emptyTables, folded, hasAll, placesOf, SEPARATOR } from './grams.ts';
import { regexLiterals } from './regex-literals.ts';

let seed = 7;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const PARTS = ['disk', 'aaaaaaaa', 'ab', '日本', '😀', ' ', '-', '0f3a', 'straße', '\n', '1'];
const text = () => Array.from({ length: random(30) }, () => PARTS[random(PARTS.length)]!).join('');

it('never misses a needle, wherever it begins and however small the table is made', () => {
  let refused = 0;
  for (let round = 0; round < 300; round += 1) {
    const tables = emptyTables();
    const bytes = Buffer.from(Array.from({ length: 1 + random(8) }, text).join('\n'));
    addText(bytes, tables);
    const [short, long] = [folded(tables.short, random(10) / 10), folded(tables.long, random(10) / 10)];
    for (let i = 0; i < 20; i += 1) {
      const from = random(bytes.length + 1);
      const needle = emptyTables();
      addText(bytes.subarray(from, from + random(60)), needle);
      expect(hasAll(short, placesOf(needle.short))).toBe(true);
      expect(hasAll(long, placesOf(needle.long))).toBe(true);
      const absent = emptyTables();
      addText(Buffer.from(`zq${random(1e9)}xw`), absent);
      if (!hasAll(short, placesOf(absent.short)) || !hasAll(long, placesOf(absent.long))) refused += 1;
    }
  }
  // Tables that are made too small say of much that it may be there; those of the store are filled a third at most.
  expect(refused).toBeGreaterThan(2_000);
});

it('misses no needle of texts that are taken by what differs from one to the next', () => {
  const separator = String.fromCharCode(SEPARATOR);
  const tries = [...PARTS, 'disk error on sector ', ' of user root', 'internal error: End of file', separator];
  const similar = (before: string) => {
    const at = random(before.length + 1);
    return before.slice(0, at) + tries[random(tries.length)]! + before.slice(at + random(3));
  };
  for (let round = 0; round < 400; round += 1) {
    const texts = [Array.from({ length: random(12) }, () => tries[random(tries.length)]!).join('')];
    while (texts.length < 1 + random(12)) texts.push(random(4) === 0 ? text() : similar(texts.at(-1)!));
    const tables = emptyTables();
    addTexts(Buffer.from(texts.join(separator)), texts.length, tables);
    for (const one of texts) {
      const bytes = Buffer.from(one);
      for (let i = 0; i < 5; i += 1) {
        const needle = emptyTables();
        const from = random(bytes.length + 1);
        addText(bytes.subarray(from, from + random(40)), needle);
        expect(hasAll(tables.short, placesOf(needle.short)), one).toBe(true);
        expect(hasAll(tables.long, placesOf(needle.long)), one).toBe(true);
      }
    }
  }
});

it('knows texts that every match of a pattern contains', () => {
  const known: [string, boolean, string[]][] = [
    ['disk error \\d+ on', false, ['disk error ', ' on']],
    ['Disk', true, []],
    ['Error', true, ['error']],
    ['abc|def', false, []],
    ['abcd*efg', false, ['abc', 'efg']],
    ['abcd+efg', false, ['abcd', 'efg']],
    ['abc(def|x)ghi', false, ['abc', 'ghi']],
    ['(?i)abc', false, []],
    ['a\\.b\\/c[)\\]]def{2}gh', false, ['a.b/c', 'de']],
    ['abc[^]x]def', false, ['abc', 'def']],
    ['\\x41bcd', false, []],
    ['abc{0}', false, []],
  ];
  for (const [source, ignoreCase, literals] of known)
    expect(regexLiterals(source, ignoreCase), source).toEqual(literals.filter((literal) => literal.length >= 3));
});

it('promises no text that a match can lack', () => {
  const pieces = [
    'abc',
    'def',
    'x',
    '.',
    '\\d',
    '[a-c]',
    '(abc)',
    '(a|abc)',
    '*',
    '+',
    '?',
    '{0,2}',
    '{2}',
    '^',
    '$',
    '|',
    '\\.',
    'K',
  ];
  const letters = ['abc', 'def', 'x', '1', '.', 'abcabc', 'K', 'k', '\u212a', 'ab', 'de'];
  let matched = 0;
  for (let round = 0; round < 4_000; round += 1) {
    const source = Array.from({ length: 1 + random(5) }, () => pieces[random(pieces.length)]!).join('');
    const ignoreCase = random(2) === 0;
    let matches: (text: string) => boolean;
    try {
      matches = re2Engine(source, { ignoreCase, at: 0 });
    } catch {
      continue;
    }
    const literals = regexLiterals(source, ignoreCase);
    for (let i = 0; i < 10; i += 1) {
      const line = Array.from({ length: random(8) }, () => letters[random(letters.length)]!).join('');
      if (!matches(line)) continue;
      matched += literals.length;
      for (const literal of literals) expect(line.toLowerCase(), source).toContain(literal);
    }
  }
  expect(matched).toBeGreaterThan(500);
});
