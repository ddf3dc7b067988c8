import { expect, it } from 'vitest';
import { fold } from '../../../common/pure/query/fold.ts';
import { compileMatcher } from '../../../common/pure/query/match.ts';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import type { QueryRow } from '../../../common/pure/query/row.ts';
import { fieldTexts, ODD_FIELDS } from './field-texts.ts';

let seed = 3;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
const odd = re2Engine(ODD_FIELDS, { ignoreCase: false, at: 0 });
const rowOf = (fields: string): QueryRow => ({ host: '', hostName: '', message: '', fields, column: () => undefined });

const NAMES = ['a', 'Status', 'a.b', 'x_y', '@t'];
const VALUES: unknown[] = [
  200,
  '200',
  '200.0',
  200.5,
  -0,
  '-0',
  '0200',
  2e21,
  1e-7,
  '2e2',
  0.1,
  '\u212a',
  'K',
  'Ärger',
];
VALUES.push(
  true,
  'true',
  false,
  null,
  '',
  'say "x"',
  'back\\slash',
  'line\nend',
  '/path',
  '\u0130',
  2 ** 53,
  '9007199254740993',
);
const WANTED = [...VALUES.map(String), '200.00', '2E2', 'k', 'SAY "X"', 'tr*', '2*0', '*', '*x', 'nothing'];

/** As programs write JSON: mostly like JSON.stringify, some in ways of their own. */
function written(): string {
  const fields: Record<string, unknown> = {};
  for (let i = random(3); i >= 0; i -= 1)
    fields[pick(NAMES)] = random(4) === 0 ? { b: pick(VALUES), a: [pick(VALUES)] } : pick(VALUES);
  const text = JSON.stringify(fields, null, random(8) === 0 ? 1 : 0);
  const each = [
    () => text.replace(/[a-z]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
    () => text.replaceAll('/', '\\/'),
    () => text.replace(/200\b/, '2.00e2'),
    () => text.replace(/\u212a/g, '\\u212a'),
  ];
  return random(4) === 0 ? pick(each)() : text;
}

it('knows a text that every usual line with such a field contains', () => {
  let known = 0;
  for (let round = 0; round < 60_000; round += 1) {
    const fields = written();
    const field = pick(NAMES);
    const wanted = pick(WANTED);
    const pieces = wanted === '*' ? null : fold(wanted).split('*');
    const term =
      pieces === null
        ? ({ kind: 'present', field, not: false } as const)
        : ({ kind: 'field', field, pieces, not: false } as const);
    if (!compileMatcher({ terms: [term] }, re2Engine)(rowOf(fields)) || odd(fields)) continue;
    known += 1;
    const texts = fieldTexts(field, pieces)!;
    expect(
      texts.some((text) => fold(fields).includes(text)),
      `${field}:${wanted} in ${fields}: ${texts}`,
    ).toBe(true);
  }
  expect(known).toBeGreaterThan(400);
});

it('takes the usual as usual', () => {
  for (const fields of [
    { id: '0f3a9c', status: 200, ms: 12.5, ip: '10.0.0.1', at: '2026-11-21T10:00:00Z', text: 'ü\n"x"' },
  ])
    expect(odd(JSON.stringify(fields))).toBe(false);
});
