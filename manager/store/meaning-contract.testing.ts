import { expect, it } from 'vitest';
import { LEVELS, type NewLine, SOURCES } from '../../common/model/line.ts';
import { queryOf } from '../../common/pure/query/filter.ts';
import { compileMatcher } from '../../common/pure/query/match.ts';
import { re2Engine } from '../../common/pure/query/re2-engine.ts';
import { BatchRow } from '../../common/pure/query/row.ts';
import { ColumnBuilder } from '../../common/wire/frames.ts';
import { columnsOf, lineAt } from './line-columns.ts';
import type { LineBatch, LineFilter, LineStore } from './ports.ts';

/** One meaning live and stored: the matcher over columns and the store must choose the same lines of a nasty corpus. */
const PIECES = [
  ...['disk', 'DISK', 'Ärger', 'ärger', '100%', '50_x', 'a\\b', "o'clock", '"quoted"', 'ΣΊΣΥΦΟΣ', 'İstanbul', 'straße'],
  ...['STRASSE', '日本', '😀', '\u202e', '\u0000', '\n', '\t', '(', '[x]', '*', 'a*b', '-', '/', ':', 'x:y', '.', '$1'],
  ...['?', ';', 'ſ', 'K', '\u2028', 'e\u0301', 'é', 'NULL', '0', '200', '200.0', '2e2', 'true', ' ', '%', '_', '\\'],
];
const NAMES = ['code', 'a.b', 'x-y', '__proto__', 'constructor', 'deep.er.key'];
const PATTERNS = ['dis.', '^a', 'x$', '\\d+', '[äÄ]', 'Σ', '\\pL{4}', '%|_', '\\\\', '.\\n', '\\bx', '\\s'];
const ROUNDS = 150;

let seed = 42;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
const text = () => Array.from({ length: 1 + random(4) }, () => pick(PIECES)).join(pick(['', ' ']));

function fieldsOf(): Record<string, unknown> {
  const value = () => pick<unknown>([text(), 200, 0.5, -3, 1e21, true, null, [1], { z: 1 }, '200', '', pick(PIECES)]);
  const fields: Record<string, unknown> = {};
  for (const name of NAMES) {
    if (random(3) > 0) continue;
    const [first, ...rest] = random(2) === 0 ? [name] : name.split('.');
    const nested = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value());
    Object.defineProperty(fields, first!, { value: nested, enumerable: true, configurable: true, writable: true });
  }
  return fields;
}

function line(): NewLine {
  const made: NewLine = { tsMs: 1_000 + random(9), level: pick(LEVELS), source: pick(SOURCES), message: text() };
  for (const name of ['unit', 'instance', 'job', 'session'] as const) if (random(2) === 0) made[name] = pick(PIECES);
  if (random(3) > 0) made.fields = fieldsOf();
  return made;
}

const quoted = (value: string) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;

function term(): string {
  const not = pick(['', '', '-']);
  const column = pick(['unit', 'instance', 'job', 'session', 'agent', 'host', ...NAMES]);
  switch (random(8)) {
    case 0:
      return `${not}${quoted(pick(PIECES))}`;
    case 1:
      return `${not}${quoted(text().slice(0, 3))}`;
    case 2:
      return `${not}level:${pick(['error', 'WARN', 'd*', '*o*', 'info'])}`;
    case 3:
      return `${not}${column}:${quoted(pick([...PIECES, 'One', 'h1']))}`;
    case 4:
      return `${not}${column}:*`;
    case 5:
      return `${not}${column}:${pick(['200', '2*', '*%*', '*_x', 'a\\*', '*\\', 'dis*k', '*Σ*', 'tr*e', '0.5', '1e21'])}`;
    case 6:
      return `${not}source:${pick(['qemu', '*a*', 'AGENT', 'x*'])}`;
    default:
      return `${not}/${pick(PATTERNS)}/${pick(['', 'i'])}`;
  }
}

function nastyBatch(agent: string, hostName: string): LineBatch {
  const builder = new ColumnBuilder();
  for (let i = 0; i < 300; i += 1) builder.add(line());
  const columns = builder.take();
  const base = { agent, host: agent === 'manager' ? '' : agent, hostName, epoch: 'e'.repeat(16), first: 0, gap: null };
  return { ...base, count: columns.n, hash: 'f'.repeat(32), receivedMs: 5_000, columns };
}

/** `store` makes a store that has these batches and nothing else. */
export function meaningContract(store: (batches: LineBatch[]) => Promise<LineStore>): void {
  it('give a filter one meaning, in every kind of question', async () => {
    const batches = [nastyBatch('h1', 'One'), nastyBatch('h2', 'ΣΊΣΥΦΟΣ'), nastyBatch('manager', '')];
    const lines = await store(batches);
    let matched = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const filter: LineFilter = { q: Array.from({ length: 1 + random(3) }, term).join(' ') };
      if (random(5) === 0) filter.level = pick(LEVELS);
      if (random(9) === 0) filter.host = pick(['h1', 'one', 'H2']);
      if (random(9) === 0) filter.source = pick(SOURCES);
      const matches = compileMatcher(queryOf(filter), re2Engine);
      const live: string[] = [];
      for (const one of batches) {
        const columns = columnsOf(one);
        const row = new BatchRow(one, columns);
        for (row.i = 0; row.i < columns.n; row.i += 1) if (matches(row)) live.push(lineAt(one, columns, row.i).id);
      }
      const said = JSON.stringify(filter);
      const stored = (await lines.since(filter, 0, 10_000)).lines.map((found) => found.id);
      expect(stored, said).toEqual(live);
      if (round % 5 === 0) {
        const page = await lines.query(filter, { limit: 10_000 });
        expect(page.lines.map((found) => found.id).sort(), said).toEqual([...live].sort());
        expect(await lines.count(filter), said).toBe(live.length);
      }
      matched += live.length;
    }
    // A comparison of nothing with nothing would prove nothing.
    expect(matched).toBeGreaterThan(5_000);
    await expect(lines.query({ q: '/(a/' }, { limit: 1 })).rejects.toMatchObject({ code: 'bad-query' });
    await lines.query({ q: '/^(a+)+$/' }, { limit: 1 });
  });
}
