import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEVELS, type Line, type NewLine, SOURCES } from '../../../common/model/line.ts';
import { fold } from '../../../common/pure/query/fold.ts';
import { compileMatcher } from '../../../common/pure/query/match.ts';
import { parseQuery } from '../../../common/pure/query/parse.ts';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import { createSelector, shareBatch } from '../../live/channel.ts';
import { type OpenLineStore, openLineStore } from '../../store/duckdb/open.ts';
import { columnsOf, lineAt } from '../../store/line-columns.ts';
import type { CommittedBatch } from '../../store/ports.ts';

// One meaning everywhere: what a filter chooses live, in the store, and by the plain reading of its parsed terms.

let seed = 7;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;

const WORDS = [
  ...[
    'disk',
    'DISK',
    'Full',
    '-full',
    '--',
    '-',
    '"',
    '\\',
    '\\"',
    'a:b',
    ':',
    'level:error',
    '/',
    '/x/',
    '/var/log',
    '*',
  ],
  ...['ẞ', 'ß', 'SS', 'Å', 'å', 'K', 'k', 'ſ', 's', 'Σ', 'ς', 'σ', 'İ', 'i', 'I', 'ı', 'ǅ', 'ǆ', 'Ა', 'ა', '𐐀', '𐐨'],
  ...['\u{10d50}', '\u{10d70}', '\ua7cb', 'ﬁ', 'e\u0301', '\u200b', '\u00a0', '\u2028', '\t', '200', '2e2', '0.5', ''],
];
const NAMES = ['unit', 'instance', 'job', 'session', 'host', 'agent', 'code', 'http.code', 'a@b.c-d', 'x_1'];
const text = () => Array.from({ length: random(4) }, () => pick(WORDS)).join(pick(['', ' ']));

function line(): NewLine {
  const value = () => pick<unknown>([text(), 200, 0.5, -0, 1e21, true, false, null, [200], { z: 'disk' }, '200.0', '']);
  const fields: Record<string, unknown> = { code: value(), 'a@b.c-d': value() };
  if (random(2) === 0) fields['http'] = { code: value() };
  else fields['http.code'] = value();
  if (random(2) === 0) fields['x_1'] = value();
  const made: NewLine = { tsMs: 1_000 + random(99), level: pick(LEVELS), source: pick(SOURCES), message: text() };
  for (const name of ['unit', 'instance', 'job', 'session'] as const) if (random(2) === 0) made[name] = text() || 'x';
  return random(5) === 0 ? made : { ...made, fields };
}

const quoted = (value: string) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;

/** A term as it is typed, and its own plain meaning: the second reading, which shares no code with the first. */
function term(): { typed: string; holds: (line: Line) => boolean } {
  const not = random(3) === 0;
  const { typed, holds } = positive();
  return { typed: `${not ? '-' : ''}${typed}`, holds: (line) => holds(line) !== not };
}
const lower = (value: string) => [...value].map((one) => fold(one)).join('');

function positive(): { typed: string; holds: (line: Line) => boolean } {
  const word = pick(WORDS.filter((one) => one !== ''));
  const name = pick(NAMES);
  const some = (line: Line, test: (value: string) => boolean) => valuesOf(line, name).some(test);
  switch (random(6)) {
    case 0:
    case 1:
      return { typed: quoted(word), holds: (line) => lower(line.message).includes(lower(word)) };
    case 2:
      return { typed: `${name}:*`, holds: (line) => some(line, () => true) };
    case 3: {
      const [head, tail] = [pick(['', '2', 'd', 'Σ']), pick(['', '0', 'K', 'L'])];
      const fits = (value: string) => value.length >= head.length + tail.length;
      const holds = (value: string) => fits(value) && value.startsWith(lower(head)) && value.endsWith(lower(tail));
      const typed = `${name}:${head}*${tail}`;
      return { typed, holds: (line) => some(line, (value) => head + tail === '' || holds(lower(value))) };
    }
    case 4: {
      const pattern = pick(['[0-9]+', '^D', 'k$', '^$', '\\x{1F600}', '\\p{Greek}', 'd.sk', '\\\\', '(?i)ß']);
      const plain = new RegExp(
        pattern.replace('(?i)', '').replace('\\p{Greek}', '\\p{Script=Greek}').replace('\\x{1F600}', '😀'),
        pattern.startsWith('(?i)') ? 'iu' : 'u',
      );
      return { typed: `/${pattern}/`, holds: (line) => plain.test(line.message) };
    }
    default: {
      const wanted = pick([word, '200', '0.5', '1e21', 'true']);
      const number = /^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/i;
      const same = (value: string) =>
        lower(value) === lower(wanted) ||
        (!IS_COLUMN.has(name) && number.test(value) && number.test(wanted) && Number(value) === Number(wanted));
      return { typed: `${name}:${quoted(wanted)}`, holds: (line) => some(line, same) };
    }
  }
}

const IS_COLUMN = new Set(['unit', 'instance', 'job', 'session', 'host', 'agent']);
function valuesOf(line: Line, name: string): string[] {
  if (name === 'host') return line.host === '' ? [] : [line.host, line.hostName];
  if (IS_COLUMN.has(name)) return [line[name as 'unit']].filter((value) => value !== undefined);
  const { fields = {} } = line;
  const nested = name
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], fields);
  const scalars = [fields[name], nested].filter((value) => ['string', 'number', 'boolean'].includes(typeof value));
  return scalars.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
}

function batch(agent: string, hostName: string, ordinal: number): CommittedBatch {
  const builder = new ColumnBuilder();
  for (let i = 0; i < 300; i += 1) builder.add(line());
  const columns = builder.take();
  const base = { agent, host: agent, hostName, epoch: 'e'.repeat(16), first: 0, gap: null, ordinal };
  return { ...base, count: columns.n, hash: 'f'.repeat(32), receivedMs: 5_000, columns };
}

describe('a filter', () => {
  let dir: string;
  let store: OpenLineStore;
  const batches = [batch('disk', 'ΣK', 1), batch('h2', '200', 301)];
  const lines = batches.flatMap((one) => Array.from({ length: one.count }, (_, i) => lineAt(one, columnsOf(one), i)));
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'webvirt-agree-'));
    store = await openLineStore(join(dir, 'lines.duckdb'));
    await store.lines.append(batches);
  });
  afterAll(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  it('means the same live, stored, counted and as it is written', async () => {
    let matched = 0;
    for (let round = 0; round < 120; round += 1) {
      const terms = Array.from({ length: random(4) }, term);
      const q = terms.map(({ typed }) => typed).join(pick([' ', '  ', '\t', '\u00a0']));
      const plain = lines.filter((one) => terms.every(({ holds }) => holds(one))).map(({ id }) => id);
      const select = createSelector({ q });
      const live = batches.flatMap((one) =>
        select(shareBatch(one, { columnsOf, lineAt })).map((entry) => entry.line.id),
      );
      const stored = (await store.lines.since({ q }, 0, 10_000)).lines.map(({ id }) => id);
      expect(live, `live: ${q}`).toEqual(plain);
      expect(stored, `stored: ${q}`).toEqual(plain);
      if (round % 5 === 0) {
        const page = await store.lines.search({ q }, { limit: 1_000 });
        expect(page.lines.map(({ id }) => id).sort(), `searched: ${q}`).toEqual([...plain].sort());
        expect(await store.lines.count({ q }), `counted: ${q}`).toBe(plain.length);
      }
      matched += plain.length;
    }
    expect(matched).toBeGreaterThan(2_000);
  });

  it('folds every character as the store does', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    // Not U+FEFF: the client takes it for a mark of the encoding where it stands alone.
    const all =
      'SELECT i, lower(chr(i::INT)) FROM range(1, 1114112) t(i) WHERE i NOT BETWEEN 55296 AND 57343 AND i <> 65279';
    const other = (await connection.runAndReadAll(`${all} AND lower(chr(i::INT)) <> chr(i::INT)`)).getRows();
    const lowered = new Map((other as [bigint, string][]).map(([i, small]) => [Number(i), small]));
    connection.closeSync();
    const wrong: string[] = [];
    for (let code = 1; code < 0x110000; code += 1) {
      if ((code >= 0xd800 && code <= 0xdfff) || code === 0xfeff) continue;
      const one = String.fromCodePoint(code);
      if (fold(one) !== (lowered.get(code) ?? one)) wrong.push(`U+${code.toString(16)}`);
    }
    expect(wrong).toEqual([]);
    expect(lowered.size).toBeGreaterThan(1_300);
  });

  it('with one of a hundred evil patterns holds up nobody', () => {
    const tails = ['!', 'b', '\n', '\u0000', 'é'];
    const cores = [
      '(a+)+',
      '(a*)*',
      '(a|a)*',
      '(a|aa)+',
      '(.*a){20}',
      '([a-z]+)*',
      '(a?){50}a{50}',
      '(\\w+\\s?)*',
      '((a+)+)+',
    ];
    const patterns = cores.flatMap((core) =>
      [...tails, '$', '[^a]', '\\d', '(b|c)', 'a{30}b', '\\bz'].map((tail) => `^${core}${tail}`),
    );
    patterns.push('(x+x+)+y', '(a|b|ab)*c', '(?:a{1,20}){1,20}b', '.*.*.*.*.*=.*');
    expect(patterns.length).toBeGreaterThan(100);
    const row = {
      ...{ host: '', hostName: '', message: 'a'.repeat(5_000), fields: null },
      column: () => undefined,
    };
    let [tried, longestMs] = [0, 0];
    for (const pattern of patterns) {
      let matches: ReturnType<typeof compileMatcher>;
      try {
        matches = compileMatcher(parseQuery(`/${pattern.replaceAll('/', '\\/').replaceAll('\n', '\\n')}/`), re2Engine);
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad-query' });
        continue;
      }
      const startedMs = performance.now();
      matches(row);
      longestMs = Math.max(longestMs, performance.now() - startedMs);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(100);
    // A backtracking engine would need longer than the universe is old for most of them.
    console.info(`${tried} evil patterns over 5,000 characters: the slowest took ${longestMs.toFixed(1)} ms`);
  });
});
