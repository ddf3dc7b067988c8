import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LineBatch } from '../ports.ts';
import { batch } from './batch.testing.ts';
import { openLineStore } from './open.ts';
import { columnsWithWords } from './origin-words.ts';

interface Origin {
  agent: string;
  epoch: string;
  host: string;
  hostName: string;
}

const dir = mkdtempSync(join(tmpdir(), 'webvirt-words-'));
afterAll(() => rmSync(dir, { recursive: true }));

const origin = (i: number, over: Partial<Origin> = {}): Origin => ({
  ...{ agent: `a${i}`, epoch: `${i}`.padStart(16, '0'), host: `host-${i}`, hostName: `node${i}.example` },
  ...over,
});
const many = (count: number) => Array.from({ length: count }, (_, i) => origin(i));
/** As the programs inside the manager and the ways in from outside are named. */
const own = [
  origin(0, { agent: 'manager', host: '', hostName: '' }),
  origin(1, { agent: 'crawler', host: '' }),
  origin(2),
];
const renamed = [origin(1), origin(1, { hostName: 'another name' }), origin(1, { epoch: 'f'.repeat(16) })];
const ODD = ["it's", "x'), 'y", 'nu\0l', 'größe', 'line\nend', 'tab\t', '%s $1', 'a"b', 'l'.repeat(300)];

describe('lines of sealed files', () => {
  const sealed = async (name: string, origins: Origin[]) => {
    const folder = mkdtempSync(join(dir, `${name}-`));
    const path = join(folder, 'lines.duckdb');
    const store = await openLineStore(path, { sealAfterMs: Infinity });
    const next = new Map<string, number>();
    const expected: string[][] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const batches: LineBatch[] = [];
      for (const from of origins) {
        const key = `${from.agent} ${from.epoch}`;
        const first = next.get(key) ?? 0;
        next.set(key, first + 1);
        const message = `${turn} ${expected.length}`;
        batches.push(batch(first, [{ message }], from));
        expected.push([from.agent, from.host, from.hostName, `${from.agent}.${from.epoch}.${first}`, message]);
      }
      await store.lines.append(batches);
    }
    await store.seal();
    const { lines } = await store.lines.since({}, 0, 10_000);
    const found = lines.map((line) => [line.agent, line.host, line.hostName, line.id, line.message]);
    const host = origins.at(-1)!.host;
    const ofLast = await store.lines.count({ host });
    await store.close();
    expect(readdirSync(join(folder, 'lines')).filter((file) => file.endsWith('.parquet'))).toHaveLength(1);
    expect(found).toEqual(expected);
    expect(ofLast).toBe(expected.filter((line) => line[1] === host).length);
  };

  it('have the texts of one origin', () => sealed('one', many(1)));
  it('have those of several', () => sealed('several', many(20)));
  it('have those of a host with another name or epoch', () => sealed('renamed', renamed));
  it('have those without a host', () => sealed('own', own));
  it('have those of more than are written as words', () => sealed('many', many(66)));
  it('have odd texts as they came', () =>
    sealed(
      'odd',
      ODD.map((text, i) => origin(i, { hostName: text })),
    ));
});

describe('words', () => {
  let connection: DuckDBConnection;
  beforeAll(async () => {
    const instance = await DuckDBInstance.create(':memory:');
    connection = await instance.connect();
    await connection.run('CREATE TABLE lines (origin INTEGER)');
    await connection.run(
      'CREATE TABLE origins (origin INTEGER, agent VARCHAR, epoch VARCHAR, host VARCHAR, host_name VARCHAR)',
    );
  });

  const wordsOf = async (origins: Origin[], used: readonly number[]) => {
    await connection.run('DELETE FROM lines; DELETE FROM origins');
    for (const [i, { agent, epoch, host, hostName }] of origins.entries())
      await connection.run(`INSERT INTO origins VALUES (${i}, ?, ?, ?, ?)`, [agent, epoch, host, hostName]);
    for (const i of used) await connection.run(`INSERT INTO lines VALUES (${i})`);
    return columnsWithWords(connection, 'lines');
  };
  const all = (origins: Origin[]) => origins.map((_, i) => i);

  it('are made of plain texts', async () => {
    expect(await wordsOf(own, all(own))).toContain("['', '', 'host-2']::ENUM('', 'host-2')[]");
    expect(await wordsOf(renamed, all(renamed))).not.toBeNull();
    expect(await wordsOf(many(64), all(many(64)))).not.toBeNull();
  });

  it('are those of the table alone', async () => {
    expect(await wordsOf(many(4), [1, 3])).toContain(
      "['host-1', NULL, 'host-3']::ENUM('host-1', 'host-3')[], origin - 0)",
    );
  });

  it('are not made of texts that could mean something else, of too many, or of none', async () => {
    for (const text of ODD) expect(await wordsOf([origin(0, { hostName: text })], [0]), text).toBeNull();
    expect(await wordsOf(many(65), all(many(65)))).toBeNull();
    expect(await wordsOf([], [])).toBeNull();
  });
});
