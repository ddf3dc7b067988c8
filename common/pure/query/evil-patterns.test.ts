import { expect, it } from 'vitest';
import { re2Engine } from './re2-engine.ts';

/** What makes an engine that goes back and forth need longer than the universe is old. */
const CORES = [
  ...['(a+)+', '(a*)*', '(a|a)+', '(a|aa)+', '(a|a?)+', '(.*a){20}', '(a+){10}', '([a-z]+)*', '(a*a*)*', '(aa*)*'],
  ...['(x+x+)+y', '(\\w+\\s?)+', '(\\d+)*', '(.*)*', '(.+)+', '(a?){30}a{30}', '((a+)b?)+', '(a+b?)+', '(a|b|ab)*'],
  ...['(\\s*\\w*\\s*)*', '([^x]+)*', '(a{1,20}){1,20}', '(?:a+)+?', '(a+?)+', '(?i:(A|a)+)', '(\\w|\\d|_)+'],
  ...[
    '(([a-z])+.)+',
    '([a-z0-9]+[-.]?)+@',
    '(https?://)?([\\w.]+)+',
    '(\\(|a)*\\)',
    '(a|\\w)*',
    '(ab|a|b)*c?',
    '(a+a+)*',
  ],
];
const SHAPES = [(core: string) => `^${core}$`, (core: string) => `${core}!$`, (core: string) => `^${core}[^a]{2}$`];
const PATTERNS = CORES.flatMap((core) => SHAPES.map((shape) => shape(core))).slice(0, 99);
const TEXTS = [`${'a'.repeat(2_000)}\u0001`, `${'ab1 '.repeat(500)}\u0001`, `${'x'.repeat(2_000)}\u0001`];

// A pattern that is not linear does not come back at all: then the run ends by its own limit.
it(`${PATTERNS.length + 1} evil patterns of users come to an answer (S19)`, () => {
  expect(new Set(PATTERNS).size).toBe(99);
  let answers = 0;
  for (const pattern of [...PATTERNS, '(((a*)*)*)*$'])
    for (const text of TEXTS) {
      expect(typeof re2Engine(pattern, { ignoreCase: false, at: 0 })(text)).toBe('boolean');
      answers += 1;
    }
  expect(answers).toBe(300);
});

it('patterns that RE2 does not know are refused with their place, whatever they want (S19)', () => {
  for (const pattern of [
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(a)\\1',
    '(?<n>a)\\k<n>',
    '(?>a+)',
    'a++',
    '(?R)',
    'a{1001}',
    '(((a{100}){100}){100})',
  ])
    expect(() => re2Engine(pattern, { ignoreCase: false, at: 4 }), pattern).toThrow(/character 5 of the filter/);
});
