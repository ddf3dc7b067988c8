import type { DuckDBConnection } from '@duckdb/node-api';
import { runQuery } from './line-rows.ts';
import { integer } from './query-sql.ts';
import { LINE_COLUMNS } from './schema.ts';

/** The texts that an origin stands for, as the sealed files have them. */
const NAMES = ['agent', 'epoch', 'host', 'host_name'] as const;
/** Each block has all words of its file: with more of them than this it would grow. */
const MOST_ORIGINS = 64;
/** Numbers of origins are dense; a table with two far from each other is rare, and not worth a long list. */
const WIDEST_RANGE = 1_024;
/** Words that mean nothing to SQL, whoever chose them. */
const PLAIN = /^[\w.:@ -]{0,255}$/;

/**
 * The columns of a line over rows that have `origin` instead of its texts. Each text is a word of a closed list then: a
 * million lines are sorted without them, and nobody looks for the same few words in each block anew, which is a quarter
 * of the work. The file is the same. Null: there are too many origins, or words that are not plain.
 */
export async function columnsWithWords(
  connection: DuckDBConnection,
  table: 'lines' | 'lines_sealing',
): Promise<string | null> {
  const rows = (await runQuery(
    connection,
    `SELECT origin, ${NAMES.join(', ')} FROM origins WHERE origin IN (SELECT DISTINCT origin FROM ${table}) ORDER BY origin`,
    [],
  )) as [number, ...string[]][];
  const [first, last] = [rows[0]?.[0] ?? 0, rows.at(-1)?.[0] ?? 0];
  if (rows.length === 0 || rows.length > MOST_ORIGINS || last - first >= WIDEST_RANGE) return null;
  if (rows.some(([, ...texts]) => !texts.every((text) => PLAIN.test(text)))) return null;
  const places = Array.from({ length: last - first + 1 }, () => [] as string[]);
  for (const [origin, ...texts] of rows) places[origin - first] = texts;
  const wordOf = (name: string): string => {
    const i = (NAMES as readonly string[]).indexOf(name);
    if (i < 0) return name;
    const words = new Set(rows.map((row) => `'${row[i + 1]}'`));
    const list = places.map((texts) => (texts[i] === undefined ? 'NULL' : `'${texts[i]}'`)).join(', ');
    return `list_extract([${list}]::ENUM(${[...words].join(', ')})[], origin - ${integer(first - 1)}) AS ${name}`;
  };
  return LINE_COLUMNS.split(', ').map(wordOf).join(', ');
}

/** The columns of a line as a table of new lines has them. */
export const COLUMNS_WITH_ORIGIN = LINE_COLUMNS.replace(NAMES.join(', '), 'origin');
