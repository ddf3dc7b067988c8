import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEVELS, type NewLine, SOURCES } from '../../../common/model/line.ts';
import { queryOf } from '../../../common/pure/query/filter.ts';
import { compileMatcher } from '../../../common/pure/query/match.ts';
import { re2Engine } from '../../../common/pure/query/re2-engine.ts';
import { BatchRow } from '../../../common/pure/query/row.ts';
import { ColumnBuilder } from '../../../common/wire/frames.ts';
import { columnsOf, lineAt } from '../line-columns.ts';
import type { LineBatch, LineFilter } from '../ports.ts';
import { type OpenLineStore, openLineStore } from './open.ts';

/** One meaning live and stored: the matcher over columns and the SQL must choose the same lines of a nasty corpus. */
const PIECES = [
  'disk', 'DISK', 'Ärger', 'ärger', '100%', '50_x', 'a\\b', "o'clock", '"quoted"', 'ΣΊΣΥΦΟΣ', 'İstanbul', 'straße',
  'STRASSE', '日本', '😀', '\u202e', '\u0000', '\n', '\t', '(', '[x]', '*', 'a*b', '-', '--', '/', ':', 'x:y', '.', '$1',
  '?', ';', 'ſ', 'K', '\u2028', 'e\u0301', 'é', 'NULL', '0', '200', '200.0', '2e2', 'true', ' ', '%', '_', '\\',
]; // biome-ignore format: one table
const NAMES = ['code', 'a.b', 'gap.reason', 'x-y', '__proto__', 'constructor', 'deep.er.key', 'unit2'];

let seed = 42;
const random = (limit: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
const text = () => Array.from({ length: 1 + random(5) }, () => pick(PIECES)).join(pick(['', ' ', ' ']));

function fieldsOf(): Record<string, unknown> {
  const value = () => pick<unknown>([text(), 200, 0.5, -3, 1e21, true, null, [1], { z: 1 }, '200', '', pick(PIECES)]);
  const fields: Record<string, unknown> = {};
  for (const name of NAMES) {
    if (random(3) > 0) continue;
    if (random(2) === 0) {
      Object.defineProperty(fields, name, { value: value(), enumerable: true, configurable: true, writable: true });
    } else {
      const [first, ...rest] = name.split('.');
      const nested = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value());
      Object.defineProperty(fields, first!, { value: nested, enumerable: true, configurable: true, writable: true });
    }
  }
  return fields;
}

function line(): NewLine {
  const made: NewLine = { tsMs: 1_000 + random(9), level: pick(LEVELS), source: pick(SOURCES), message: text() };
  for (const name of ['unit', 'instance', 'job', 'session'] as const) if (random(2) === 0) made[name] = pick(PIECES);
  if (random(3) > 0) made.fields = fieldsOf();
  return made;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

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
      return `${not}${column}:${pick(['200', '2*', '*%*', '*_x', 'a\\*', '*\\', 'dis*k', '*Σ*', 'tr*e', '0.5', '-3', '1e21'])}`;
    case 6:
      return `${not}source:${pick(['qemu', '*a*', 'AGENT', 'x*'])}`;
    default:
      return `${not}/${pick(['dis.', '^a', 'x$', '\\d+', '[äÄ]', 'Σ', '\\pL{4}', '%|_', '\\\\', '.\\n', 'straße', '\\bx', '\\s'])}/${pick(['', 'i'])}`;
  }
}

const batch = (agent: string, hostName: string): LineBatch => {
  const builder = new ColumnBuilder();
  for (let i = 0; i < 400; i += 1) builder.add(line());
  const columns = builder.take();
  const epoch = 'e'.repeat(16);
  const base = { agent, host: agent === 'manager' ? '' : agent, hostName, epoch, first: 0, gap: null };
  return { ...base, count: columns.n, hash: 'f'.repeat(32), receivedMs: 5_000, columns };
};

describe.each(['new', 'sealed', 'in two files and new'])('the filter language over lines that are %s', (place) => {
  let dir: string;
  let store: OpenLineStore;
  const batches = [batch('h1', 'One'), batch('h2', 'ΣΊΣΥΦΟΣ'), batch('manager', '')];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'webvirt-meaning-'));
    store = await openLineStore(join(dir, 'lines.duckdb'), { sealAfterMs: Infinity });
    for (const [i, one] of batches.entries()) {
      await store.lines.append([one]);
      if (place === 'in two files and new' && i < 2) await store.seal();
    }
    if (place === 'sealed') await store.seal();
  });
  afterAll(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  it('means the same live and stored', async () => {
    let matched = 0;
    for (let round = 0; round < 100; round += 1) {
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
      const stored = (await store.lines.since(filter, 0, 10_000)).lines.map((found) => found.id);
      expect(stored, JSON.stringify(filter)).toEqual(live);
      expect(await store.lines.count(filter), JSON.stringify(filter)).toBe(live.length);
      if (round % 5 === 0) {
        const { lines } = await store.lines.query(filter, { limit: 10_000 });
        expect(lines.map((found) => found.id).sort(), JSON.stringify(filter)).toEqual([...live].sort());
      }
      matched += live.length;
    }
    // A comparison of nothing with nothing would prove nothing.
    expect(matched).toBeGreaterThan(2_000);
  });

  it('answers an evil or unreadable pattern at once, as an error of the caller', async () => {
    await expect(store.lines.query({ q: '/(a/' }, { limit: 1 })).rejects.toMatchObject({ code: 'bad-query' });
    expect((await store.lines.query({ q: '/(?<n>x)/' }, { limit: 1 })).lines).toHaveLength(1);
    await store.lines.query({ q: '/^(a+)+$/' }, { limit: 1 });
  });
});
